import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../config/root.ts";
import type { ApiScope } from "../../services/api-scopes.ts";

/** A new API key of the running system, made as an operator makes one. */
export async function makeApiKey(scopes: readonly ApiScope[]): Promise<string> {
  const script = join(projectRoot(), "scripts/api-key.ts");
  const args = [script, "create", "--name", "tests", "--scopes", scopes.join(",")];
  // MYSQL_URL of the tests is the administrator's.
  const env = { ...process.env, MYSQL_URL: undefined, LOG_LEVEL: "error" };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectRoot(), env });
  return stdout.trim();
}
