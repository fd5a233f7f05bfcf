import { join } from "node:path";
import type { ImBenchContext } from "../../../../bench/im/context.ts";
import { Closing } from "../../../../bench/support/closing.ts";
import { openServers } from "../../../../bench/support/servers.ts";
import { projectRoot } from "../../../../config/root.ts";

/** For a test of it: processes start slowly on a busy machine. */
export const tinyTimeoutMs = 120_000;

/**
 * The folder of the servers of a test's benchmarks, one for each of jest's workers. Not those of the other tests: with
 * each new login nats-server reads its configuration again, and for a moment JetStream answers nobody.
 */
export const benchStack = (): string => join(projectRoot(), `.stack/test-bench-${process.env.JEST_WORKER_ID ?? "1"}`);

/**
 * Runs a benchmark at a size that says nothing about speed, as `npm run bench` does: its nodes log in as themselves, in a
 * namespace of the benchmark, which this process has from then on. Closes what it opened. Rejects with what it did where
 * it fails.
 */
export async function tiny<Result>(
  run: (context: ImBenchContext) => Promise<Result>,
  load: Partial<ImBenchContext>,
): Promise<Result> {
  const lines: string[] = [];
  const closing = new Closing();
  const progress = (line: string) => lines.push(line);
  try {
    const servers = await openServers(progress, closing, { dir: benchStack() });
    return await run({ servers, closing, quick: true, seconds: 1, progress, ...load });
  } catch (error) {
    throw new Error(`${error}; what was done:\n${lines.join("\n")}`);
  } finally {
    await closing.closeAll();
  }
}
