import type { CatchUp } from "./catch-up.ts";
import type { StreamDefinition } from "./definitions.ts";
import type { Positions, StreamGeneration } from "./positions.ts";
import type { Recovery } from "./recoveries.ts";

/**
 * Where a log is gone, or went back in time: its consumer catches up on what it may not have read. In the first case
 * since the position in the log that is gone; in the second since the last message that is left, or where there is none
 * since the log was made, at the most its age ago. It runs once: what is published to the log that is gone stands in
 * the books by then.
 */
export function catchUpRecovery(
  positions: Pick<Positions, "lastTimeInFormer">,
  { durable, stream: definition }: { readonly durable: string; readonly stream: StreamDefinition },
  catchUp: Pick<CatchUp, "alone" | "missed">,
): Recovery {
  const sinceOf = async (generation: StreamGeneration): Promise<Date | undefined> => {
    const { created, lastSequence, lastTime } = generation;
    if (lastSequence === undefined) return positions.lastTimeInFormer(durable, generation);
    const oldest = definition.maxAgeMs ? Date.now() - definition.maxAgeMs : 0;
    return lastTime ?? new Date(Math.max(Date.parse(created), oldest));
  };
  return {
    name: `consumer ${durable}`,
    stream: definition,
    once: true,
    alone: (work, stop) => catchUp.alone(work, stop),
    run: async (streams, signal) => {
      for (const stream of streams) {
        const since = await sinceOf(stream);
        if (since) await catchUp.missed(since, signal);
      }
    },
  };
}
