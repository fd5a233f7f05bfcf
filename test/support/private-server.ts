import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../scripts/stack/stack.ts";

export interface PrivateServer {
  readonly url: string;
  /** Ends the server and removes what it wrote. */
  close(): Promise<void>;
}

/** A server of this test alone, for what changes a server for everybody: read_only, accounts, replication. */
async function privateServer(variable: "REDIS_URL" | "MYSQL_URL"): Promise<PrivateServer> {
  const dir = mkdtempSync(join(tmpdir(), "private-"));
  const { [variable]: _started, ...env } = process.env;
  const port = randomInt(20_000, 30_000);
  const preferredPorts = { redis: port, mysql: port };
  const stack = await startStack({ dir, env, preferredPorts, log: () => {} });
  return {
    url: variable === "REDIS_URL" ? stack.redisUrl : stack.mysqlUrl,
    async close() {
      await stack.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const privateRedis = () => privateServer("REDIS_URL");
export const privateMysql = () => privateServer("MYSQL_URL");
