import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { redisOf } from "../../mixins/redis/address.ts";
import { startStack } from "../../scripts/stack/stack.ts";
import { runCommand } from "../books/verify.ts";
import type { Drilled } from "./fault.ts";

/** How long gifts are sent after the backup: what they left is replayed from stream EVENTS. */
const afterBackupMs = 5_000;

/** Backs the system up while it runs; gifts are sent after it, which the backup does not have. */
export async function takeBackup({ servers }: Drilled): Promise<string> {
  const folder = join(servers.logs, "backup");
  rmSync(folder, { recursive: true, force: true });
  const { code, lines } = await runCommand("scripts/backup.ts", [folder], servers.env);
  if (code !== 0) throw new Error(`npm run backup ended with ${code}: ${lines.slice(-5).join("; ")}`);
  await pause(afterBackupMs);
  return folder;
}

/**
 * All machines of MySQL are lost with their disks, and Redis is empty; the streams outlived them. New servers get the
 * backup, and what was settled after it from the streams. Returns what the restore said.
 */
export async function loseAndRestore(drilled: Drilled, folder: string): Promise<string> {
  const { nodes, ha, servers, closing, progress } = drilled;
  await nodes.stop();
  progress("MySQL is lost");
  await Promise.all(ha.ofKind("mysql").map(({ name }) => ha.wipe(name)));
  const { stackDir: dir, log } = ha.place;
  const { NATS_URL: _nats, REDIS_URL: _redis, MYSQL_URL: _mysql, ...env } = process.env;
  const stack = await startStack({ dir, ha: true, log, env });
  closing.add(() => stack.stop());
  const redis = redisOf(servers.env.REDIS_URL as string);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
  progress("restoring");
  const begun = performance.now();
  const report = join(servers.logs, "restore-report");
  const args = [folder, "--streams", "keep", "--report", report];
  const { code, lines } = await runCommand("scripts/restore.ts", args, servers.env);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  if (code !== 0 && code !== 2) throw new Error(`npm run restore ended with ${code}: ${lines.slice(-10).join("; ")}`);
  await must("scripts/migrate.ts", servers.env);
  progress("starting the nodes");
  await nodes.start();
  return `restored in ${seconds} s, exit code ${code}; the report is in ${report}`;
}

async function must(script: string, env: Drilled["servers"]["env"]): Promise<void> {
  const { code, lines } = await runCommand(script, [], env);
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${lines.slice(-5).join("; ")}`);
}
