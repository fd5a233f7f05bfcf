import { loadavg } from "node:os";
import { queuedGroups } from "../settle/gifts.ts";
import { measureSettling, type Settled, timeSettling } from "../settle/measure.ts";
import { clusterSystem, singleSystem } from "../settle/systems.ts";
import { conservationProblems, productBooks } from "../support/conservation.ts";
import type { BenchContext } from "../support/context.ts";
import type { DurableQueue, QueuedMessage } from "../support/durable-queue.ts";
import { median, rounded } from "../support/percentiles.ts";
import { senderId } from "../support/seed.ts";
import { telling } from "../support/telling.ts";
import { prepareBufferPool } from "./buffer-pool.ts";
import type { Filled } from "./history.ts";

const defaultGifts = 20_000;
/** Coprime to every number of accounts here, so that the senders of a burst are spread over all accounts. */
const stride = 618_031;

export const giftsOf = ({ gifts }: Pick<BenchContext, "gifts">): number => gifts || defaultGifts;

/** A burst, and how many processes wanted the cores before and after it. */
export interface Burst extends Settled {
  readonly load: readonly [before: number, after: number];
}

/** Bursts of gifts that are settled one after the other on the same books. */
export class Bursts {
  private readonly context: BenchContext;
  private readonly queue: DurableQueue;
  private readonly past: Filled;
  private sent = 0;

  constructor(context: BenchContext, queue: DurableQueue, past: Filled) {
    this.context = context;
    this.queue = queue;
    this.past = past;
  }

  /**
   * As many gifts before them are not measured: they bring those pages into the pool that gifts need most, and what each
   * size had of the pool before counts for nothing.
   *
   * `nodes`: the number of wallet processes, with one gift node and one router; 0: everything in this process. Without an
   * auditor: the filled books have no seals.
   */
  async settle(nodes: number): Promise<Burst> {
    const { context, queue } = this;
    const { progress } = context;
    const gifts = giftsOf(context);
    await prepareBufferPool(progress);
    const system =
      nodes === 0
        ? await singleSystem(context, queue, false)
        : await clusterSystem(context, queue, { gift: 1, wallet: nodes }, false);
    const first = await queue.fill(this.next(gifts), () => {});
    await timeSettling(system, queue, { messages: first, progress });
    await system.pause();
    const messages = await queue.fill(this.next(gifts), () => {});
    const before = load();
    const settled = await measureSettling(system, queue, { gifts, messages, progress });
    const burst: Burst = { ...settled, load: [before, load()] };
    const { rate, cpuMicrosPerGift, statementsPerGift, pagesReadPerGift, pagesWrittenPerGift } = burst;
    progress(
      `${rate} gifts a second; a gift: ${cpuMicrosPerGift} µs, ${statementsPerGift} statements, pages read ` +
        `${pagesReadPerGift}, written ${pagesWrittenPerGift}; load ${burst.load.join(" to ")}`,
    );
    return burst;
  }

  private next(gifts: number): Iterable<QueuedMessage> {
    const first = this.sent;
    this.sent += gifts;
    return queuedGroups(gifts, (n) => senderId(((first + n) * stride) % this.past.accounts));
  }

  /** Invariants that do not hold over all rows, the filled ones included. */
  async problems(): Promise<string[]> {
    const { progress } = this.context;
    const problems = await telling("checking conservation over all rows", progress, () =>
      conservationProblems(productBooks(this.past.gifts + this.sent)),
    );
    for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
    return problems;
  }
}

const load = (): number => rounded(loadavg()[0] as number, 1);

/** The median rate; the other figures are of its burst. `bursts` has what differs from burst to burst. */
export function summary(bursts: readonly Burst[]) {
  const rate = median(bursts.map((burst) => burst.rate));
  const middle = bursts.find((burst) => burst.rate === rate) as Burst;
  const { cpuMicrosPerGift, cpuMicrosPerGiftBy, statementsPerGift, pagesReadPerGift, pagesWrittenPerGift } = middle;
  return {
    ...{ rate, cpuMicrosPerGift, cpuMicrosPerGiftBy, statementsPerGift, pagesReadPerGift, pagesWrittenPerGift },
    redelivered: bursts.map((burst) => burst.redelivered),
    bursts: bursts.map(({ rate, cpuMicrosPerGift, pagesReadPerGift, load }) => ({
      ...{ rate, cpuMicrosPerGift, pagesReadPerGift, load },
    })),
  };
}
