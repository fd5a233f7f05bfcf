import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { eventStream } from "../../services/streams.ts";
import { incomesRollUp } from "../support/conservation.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { rounded } from "../support/percentiles.ts";
import { profiled } from "../support/profile.ts";
import { type DatabaseCounts, databaseCounts } from "../support/statements.ts";
import type { SettlingSystem } from "./systems.ts";

export interface Settled {
  giftsPerMessage: number;
  seconds: number;
  shownSeconds: number;
  /** Gifts a second. */
  rate: number;
  cpuMicrosPerGift: number;
  cpuMicrosPerGiftBy: Record<string, number>;
  statementsPerGift: number;
  /** Pages that MySQL read into its buffer pool, and that it wrote. */
  pagesReadPerGift: number;
  pagesWrittenPerGift: number;
  /** The most resident memory while settling, MB by process. */
  peakMb: Record<string, number>;
  redelivered: number;
  p50Ms: number;
  p99Ms: number;
}

/** Milliseconds from `since` until a share of all gifts recorded since then had their record. */
async function settleTimes(since: number, gifts: number): Promise<{ p50Ms: number; p99Ms: number }> {
  const connection = await openConnection(config().MYSQL_URL, { database: databaseName("gift"), timezone: "Z" });
  const at = async (share: number) => {
    const [rows] = await connection.query(
      "SELECT update_time FROM t_gift_record WHERE update_time >= ? ORDER BY update_time LIMIT 1 OFFSET ?",
      [new Date(since), Math.max(0, Math.ceil(gifts * share) - 1)],
    );
    return ((rows as { update_time: Date }[])[0]?.update_time.getTime() ?? Number.NaN) - since;
  };
  try {
    return { p50Ms: await at(0.5), p99Ms: await at(0.99) };
  } finally {
    await connection.end();
  }
}

/** The cost of settling a queue, until its last gift was acked. */
export interface Timed {
  /** Unix ms. */
  beganAt: number;
  seconds: number;
  /** µs by process. */
  cpu: Record<string, number>;
  /** The most resident memory, MB by process. */
  memory: Record<string, number>;
  /** Of MySQL. */
  counts: DatabaseCounts;
  /** Until the last effect was handed to the router's nodes. */
  shownSeconds: number;
  /** Deliveries beyond the first of each message: repeated work, or gifts that waited for a redelivery. */
  redelivered: number;
}

interface TimedOptions {
  /** The messages in the queue. */
  messages: number;
  profile?: string | undefined;
  progress: (line: string) => void;
  /** Resolves once the effects are shown, where that follows the ack. Its work is in the CPU time. */
  untilShown?: () => Promise<void>;
}

/** Lets the system settle the queue. */
export async function timeSettling(
  system: Pick<SettlingSystem, "begin">,
  queue: DurableQueue,
  { messages, profile, progress, untilShown }: TimedOptions,
): Promise<Timed> {
  const before = await databaseCounts();
  const deliveriesBefore = await queue.deliveries();
  return profiled(profile, async () => {
    const begun = await system.begin();
    const endedAt = await queue.untilEmpty(messages, progress);
    await untilShown?.();
    const shownAt = Date.now();
    const cpu = begun.cpuSince();
    const memory = begun.memorySince();
    const counts = difference(await databaseCounts(), before);
    const redelivered = (await queue.deliveries()) - deliveriesBefore - messages;
    const seconds = (endedAt - begun.at) / 1_000;
    const shownSeconds = (shownAt - begun.at) / 1_000;
    return { beganAt: begun.at, seconds, shownSeconds, cpu, memory, counts, redelivered };
  });
}

const difference = (after: DatabaseCounts, before: DatabaseCounts): DatabaseCounts => ({
  statements: after.statements - before.statements,
  pagesRead: after.pagesRead - before.pagesRead,
  pagesWritten: after.pagesWritten - before.pagesWritten,
});

/** CPU µs per gift, of all processes and by process. */
export function cpuPerGift(cpu: Record<string, number>, gifts: number) {
  const perGift = (micros: number) => rounded(micros / gifts, 1);
  return {
    cpuMicrosPerGift: perGift(Object.values(cpu).reduce((a, b) => a + b, 0)),
    cpuMicrosPerGiftBy: Object.fromEntries(Object.entries(cpu).map(([name, micros]) => [name, perGift(micros)])),
  };
}

/**
 * Lets the product settle the queue and stops it. The time ends when every gift is acked, after its debit, trade,
 * record and event.
 */
export async function measureSettling(
  system: SettlingSystem,
  queue: DurableQueue,
  options: { gifts: number; messages: number; profile?: string | undefined; progress: (line: string) => void },
): Promise<Settled> {
  const { gifts, messages } = options;
  const { beganAt, seconds, shownSeconds, cpu, memory, counts, redelivered } = await timeSettling(system, queue, {
    ...options,
    untilShown: () => queue.untilRead(eventStream, "gift-effects"),
  });
  const times = await settleTimes(beganAt, gifts);
  await incomesRollUp();
  await system.stop();
  const rate = Math.round(gifts / seconds);
  return {
    giftsPerMessage: rounded(gifts / messages, 1),
    seconds,
    shownSeconds,
    rate,
    ...cpuPerGift(cpu, gifts),
    statementsPerGift: rounded(counts.statements / gifts, 4),
    pagesReadPerGift: rounded(counts.pagesRead / gifts, 2),
    pagesWrittenPerGift: rounded(counts.pagesWritten / gifts, 2),
    peakMb: memory,
    redelivered,
    ...times,
  };
}
