import { randomBytes, randomInt } from "node:crypto";
import { keySettings } from "../config/process-settings.ts";
import { claimFreePort } from "./stack/ports.ts";
import type { Stack } from "./stack/stack.ts";

/** The settings of a system of its own on the tests' servers. */
export async function systemEnv(stack: Stack) {
  return {
    NAMESPACE: `e2e_${randomBytes(4).toString("hex")}`,
    STACK_DIR: stack.dir,
    REDIS_URL: stack.redisUrl,
    MYSQL_URL: stack.mysqlUrl,
    PROFILE: "local",
    // A random port: two test runs that start at the same time on a machine would choose the same usual port.
    API_PORT: String(await claimFreePort(randomInt(20_000, 24_000), new Set())),
    ADMIN_PORT: String(await claimFreePort(randomInt(24_000, 28_000), new Set())),
    ADMIN_REQUESTS_PER_IP_PER_MINUTE: "0",
    ADMIN_FAILURES_PER_IP_PER_MINUTE: "0",
    SMS_PROVIDER: "console",
    GIFTS_PER_USER_PER_SECOND: "0",
    LOGIN_FAILURES_PER_IP_PER_MINUTE: "0",
    LOGIN_CODES_PER_PHONE_PER_DAY: "0",
    OPERATOR_TOKEN: "operator-token-of-the-tests",
    METRICS_TOKEN: "metrics-token-of-the-tests",
    // Longer than the tests run: the rooms that one test leaves do not close during another.
    ROOM_ANCHOR_AWAY_MINUTES: "600",
    // Users of a platform log in too: test/support/platform.ts signs as that platform.
    JWT_ISSUER: "https://platform.example",
    JWT_AUDIENCE: "ovation",
    JWT_SECRET: randomBytes(32).toString("base64url"),
    JWT_NAME_CLAIM: "name",
    CASHIER_SECRET: "cashier-secret-of-the-tests",
    // Receivers of webhooks are the tests themselves.
    WEBHOOK_PRIVATE_ADDRESSES: "allow",
    // Keys of this run alone: whoever knows them can log in as anybody, or move anybody's money.
    ...Object.fromEntries(keySettings.map((name) => [name, `tests:${randomBytes(32).toString("base64url")}`])),
    LOG_LEVEL: process.env.LOG_LEVEL ?? "info",
  };
}
