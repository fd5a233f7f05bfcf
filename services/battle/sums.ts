import { limits } from "../../config/limits.ts";
import { call, type ResultOf } from "../contracts.ts";
import type { BattleService } from "./battle-service.ts";
import type { Battle } from "./battle-state.ts";

/** What the gift records say of a battle. */

export type EndedBattle = Battle & { readonly start: number; readonly end: number };
type Totals = ResultOf<"gift.totals">["sides"];
type Asking = Pick<BattleService, "broker" | "logger">;

export interface Sums {
  readonly sides: { readonly score: number; readonly gifts: number }[];
  /** The orders of `without` that have a record of success. */
  readonly leftOut: string[];
}

const iso = (ms: number) => new Date(ms).toISOString();

const paramsOf = ({ sides }: Battle, without: readonly string[]) => ({
  sides: sides.map(({ roomId, userId }) => ({ roomId, receiverId: userId })),
  without: without.slice(0, limits.battle.excludedMax),
});

/**
 * The sums of a battle's sides, without some orders. They are read in slices of its time, since a call has a few seconds
 * and a battle may have millions of gifts: a gift has one time, so the sums of the slices add up exactly. Fails:
 * unavailable; by `signal`; with a RangeError where a sum is no safe integer.
 */
export async function sumsOf(
  { broker }: Asking,
  battle: EndedBattle,
  without: readonly string[],
  signal?: AbortSignal,
): Promise<Sums> {
  const { start, end, sides } = battle;
  const { sliceMs, slicesInFlight } = limits.battle;
  const sums: Sums = { sides: sides.map(() => ({ score: 0, gifts: 0 })), leftOut: [] };
  let next = start;
  const readSlices = async () => {
    while (next < end) {
      signal?.throwIfAborted();
      const from = next;
      next = Math.min(from + sliceMs, end);
      const span = { from: iso(from), until: iso(next) };
      const params = { ...paramsOf(battle, without), ...span, topSenders: false };
      const slice = await call(broker, "gift.totals", params);
      sums.leftOut.push(...slice.leftOut);
      for (const [side, { score, gifts }] of slice.sides.entries()) {
        const sum = sums.sides[side] ?? { score: 0, gifts: 0 };
        sums.sides[side] = { score: safe(sum.score + score), gifts: sum.gifts + gifts };
      }
    }
  };
  await Promise.all(Array.from({ length: slicesInFlight }, readSlices));
  return sums;
}

/**
 * The top senders of a battle's sides. They are only shown: where the gift service cannot tell them for
 * `limits.battle.topSendersPatienceMs` after the end there are none. Fails earlier: unavailable; by
 * `signal`.
 */
export async function topSendersOf(
  { broker, logger, clock }: Asking & Pick<BattleService, "clock">,
  battle: EndedBattle,
  without: readonly string[],
  signal: AbortSignal,
): Promise<Totals[number]["topSenders"][]> {
  const params = { ...paramsOf(battle, without), from: iso(battle.start), until: iso(battle.end) };
  try {
    const options = { timeout: limits.battle.topSendersTimeoutMs };
    const { sides } = await unlessAborted(signal, call(broker, "gift.totals", params, options));
    return sides.map(({ topSenders }) => topSenders);
  } catch (error) {
    signal.throwIfAborted();
    if (clock.now() - battle.end < limits.battle.topSendersPatienceMs) throw error;
    logger.warn({ battleId: battle.id, err: error }, "the result of a battle stands without its top senders");
    return [];
  }
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function safe(sum: number): number {
  if (!Number.isSafeInteger(sum)) throw new RangeError("the score of a battle is not a safe integer");
  return sum;
}
