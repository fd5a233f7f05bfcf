import type { ImBenchContext } from "../../../../bench/im/context.ts";
import { Closing } from "../../../../bench/support/closing.ts";

/** For a test of it: processes start slowly on a busy machine. */
export const tinyTimeoutMs = 90_000;

/**
 * Runs a benchmark at a size that says nothing about speed, and closes what it opened. Its processes take the servers and
 * the namespace of the test file from the environment. Rejects with what it did where it fails.
 */
export async function tiny<Result>(
  run: (context: ImBenchContext) => Promise<Result>,
  load: Partial<ImBenchContext>,
): Promise<Result> {
  const lines: string[] = [];
  const closing = new Closing();
  const progress = (line: string) => lines.push(line);
  try {
    return await run({
      servers: { env: {}, envOf: async () => ({}) },
      closing,
      quick: true,
      seconds: 1,
      progress,
      ...load,
    });
  } catch (error) {
    throw new Error(`${error}; what was done:\n${lines.join("\n")}`);
  } finally {
    await closing.closeAll();
  }
}
