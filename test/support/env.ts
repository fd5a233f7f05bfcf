import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keySettings } from "../../config/process-settings.ts";
import { projectRoot } from "../../config/root.ts";

/**
 * Runs before each test file: the servers are those of the test stack (unless the environment names others), and the
 * namespace is one of the file's own, so that files cannot meet in a table, a key or a stream.
 */
process.env.NAMESPACE ??= `t_${randomBytes(4).toString("hex")}`;
process.env.PROFILE = "local";
process.env.SMS_PROVIDER = "console";
// Tests send many gifts of one user.
process.env.GIFTS_PER_USER_PER_SECOND ??= "0";
// And log in often, from one address.
process.env.LOGIN_CODES_PER_PHONE_PER_DAY ??= "0";
process.env.LOGIN_FAILURES_PER_IP_PER_MINUTE ??= "0";
process.env.LOG_LEVEL ??= "fatal";
process.env.CASHIER_SECRET ??= "cashier-secret-of-the-tests";
process.env.OPERATOR_TOKEN ??= "operator-token-of-the-tests";
for (const name of keySettings) process.env[name] ??= `tests:${randomBytes(32).toString("base64url")}`;
process.env.API_PORT ??= "0";
process.env.ADMIN_PORT ??= "0";
process.env.ADMIN_REQUESTS_PER_IP_PER_MINUTE ??= "0";
process.env.ADMIN_FAILURES_PER_IP_PER_MINUTE ??= "0";
process.env.IM_PORT ??= "0";

const text = readFileSync(process.env.TEST_STACK_ENV ?? join(projectRoot(), ".stack/test/env"), "utf8");
const kept = new Map(text.split("\n").map((line) => line.split(/=(.*)/s) as [string, string]));
for (const name of ["REDIS_URL", "MYSQL_URL"]) process.env[name] ??= kept.get(name);
// The administrator's login: most tests are about something else than rights. It may make streams and consumers too.
process.env.NATS_URL ??= kept.get("NATS_ADMIN_URL");
process.env.NATS_ADMIN_URL ??= process.env.NATS_URL;
process.env.PROVISIONER_NATS_URL ??= process.env.NATS_URL;
