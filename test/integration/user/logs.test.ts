import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import { tokenKeys } from "../../../services/token-keys.ts";
import { codeKeysOf } from "../../../services/user/login-codes.ts";
import user from "../../../services/user/user.service.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

// The settings are read at their first use, when the node starts.
const folder = mkdtempSync(join(tmpdir(), "logs-"));
process.env.LOG_FILE = join(folder, "node.log");
// The most detailed level: what is not logged at it is not logged at all.
process.env.LOG_LEVEL = "trace";

const phone = "13812345678";
const redis = openRedis("test");
let node: ServiceBroker;
let database: Database;

beforeAll(async () => {
  node = await startNode("user", [user, notification]);
  database = new Database(databaseName("user"));
  await redis.connect();
});
afterAll(async () => {
  await database.close();
  redis.disconnect();
  await stopAll();
  rmSync(folder, { recursive: true });
});

const logged = (text: string) =>
  eventually(`"${text}" in the log`, () => {
    const log = readFileSync(process.env.LOG_FILE as string, "utf8");
    return log.includes(text) && log;
  });

test("neither login codes nor tokens are logged at any level, for logins that pass and that fail", async () => {
  const [own, caller] = ["13812345677", await startNode("caller", [])];
  await caller.waitForServices(["user"]);
  const { devCode } = await call(caller, "user.sendLoginCode", { phone: own });
  const code = devCode as string;
  const wrong = code === "019283" ? "019284" : "019283";
  await expect(call(caller, "user.login", { phone: own, code: wrong })).rejects.toMatchObject({ type: "smsCodeWrong" });
  const { token } = await call(caller, "user.login", { phone: own, code });
  await call(caller, "user.logout", { token });
  await expect(call(caller, "user.logout", { token: `${token}x` } as never)).resolves.toBeNull();
  const log = await logged("logged in");
  // The user id and the digits of times contain shorter numbers: a code stands alone where it is logged.
  for (const secret of [`"${code}"`, `"${wrong}"`, token, token.slice(-43), own])
    expect([secret, String(log).includes(secret)]).toEqual([secret, false]);
  for (const secret of [code, wrong]) expect(String(log)).not.toMatch(new RegExp(`:${secret}\\b`));
  // The next test makes the column too narrow for its rows.
  await database.run("DELETE FROM t_sms");
});

test("an error of the database is in the log without the statement and its values", async () => {
  await database.run("ALTER TABLE t_sms MODIFY code CHAR(1)");
  await expect(call(node, "user.sendLoginCode", { phone })).rejects.toMatchObject({ type: "FAULT" });
  const log = await logged("ER_DATA_TOO_LONG");
  expect(log).not.toContain("INSERT INTO");
  expect(log).not.toContain(phone);
});

test("an error of an unusable database is in the log without the statement and its values", async () => {
  await database.run("RENAME TABLE t_sms TO t_sms_away");
  await expect(call(node, "user.sendLoginCode", { phone })).rejects.toMatchObject({ type: "unavailable" });
  const log = await logged("ER_NO_SUCH_TABLE");
  expect(log).not.toContain("INSERT INTO");
  expect(log).not.toContain(phone);
});

test("an error of Redis is in the log without the command's arguments", async () => {
  await redis.lpush(codeKeysOf(tokenKeys().signing, phone)[0], "of another type");
  await expect(call(node, "user.login", { phone, code: "918273" })).rejects.toMatchObject({ type: "FAULT" });
  const log = await logged("WRONGTYPE");
  expect(log).not.toContain("918273");
  expect(log).not.toContain(phone);
});
