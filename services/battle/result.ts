import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { logConsumerNames } from "../../mixins/jetstream/definitions.ts";
import { call } from "../contracts.ts";
import { durableEvent } from "../durable-event.ts";
import { eventStream } from "../streams.ts";
import type { BattleService } from "./battle-service.ts";
import { mayMove } from "./battle-state.ts";
import { battleById, lockBattle, moveBattle } from "./battle-store.ts";
import { winnerOf } from "./score.ts";
import { bumpRevision, deadGiftsOf, exclude } from "./score-store.ts";
import { showSoon } from "./show-state.ts";
import { writeResults } from "./side-store.ts";
import { type EndedBattle, sumsOf, topSendersOf } from "./sums.ts";

/**
 * The result of a battle: what the gift records have of its time, once every gift of it is settled or a dead letter. The
 * dead letters without a record by then are stored as excluded: a replay of one makes a record later, and the result
 * leaves it out for ever. So it is the same whenever it is computed again.
 */

const deadLettersDurable = "battle-dead-letters";

const iso = (ms: number) => new Date(ms).toISOString();

/** The sums that count, and the dead letters without a record, which they leave out. */
async function decide(service: BattleService, battle: EndedBattle, dead: readonly string[], signal: AbortSignal) {
  const { sides, leftOut } = await sumsOf(service, battle, dead, signal);
  if (leftOut.length === 0) return { sums: sides, without: dead };
  // These were replayed, and count. A record stays: one that is made from here on is of an order that is left out.
  const replayed = new Set(leftOut);
  const without = dead.filter((orderId) => !replayed.has(orderId));
  return { sums: (await sumsOf(service, battle, without, signal)).sides, without };
}

/** Whether this service has handled every event of dead letters that is stored. */
async function deadLettersHandled({ jetstream }: BattleService): Promise<boolean> {
  const stream = natsPrefix() + eventStream.name;
  for (const name of logConsumerNames(deadLettersDurable)) {
    const info = await jetstream.manager.consumers.info(stream, name).catch((error: { code?: string }) => {
      if (error.code === "404") return undefined;
      throw error;
    });
    if (info) return info.num_pending === 0 && info.num_ack_pending === 0;
  }
  return false;
}

/** Since when a battle's result waits for the consumer of dead letters, by `performance.now()`. */
const waitsSince = new WeakMap<BattleService, Map<string, number>>();

/** A dead letter whose event is handled after the result is decided in dead-letters.ts, so the wait may end. */
async function waitsForDeadLetters(service: BattleService, battleId: string): Promise<boolean> {
  const waits = waitsSince.get(service) ?? new Map<string, number>();
  waitsSince.set(service, waits);
  const since = waits.get(battleId) ?? performance.now();
  waits.set(battleId, since);
  const over = performance.now() - since >= limits.battle.deadLettersWaitMs;
  if (!over && !(await deadLettersHandled(service))) return true;
  waits.delete(battleId);
  if (over) service.logger.warn({ battleId }, "a result is computed: later dead letters are handled after it");
  return false;
}

/** Stores the result of a settling battle where it stands; `false`: not yet. Fails: unavailable; by `signal`. */
export async function settle(service: BattleService, battleId: string, signal: AbortSignal): Promise<boolean> {
  const { mysql, outbox, broker, clock } = service;
  const settling = await battleById(mysql, battleId);
  if (settling?.state !== "settling") return false;
  const { start, end } = settling;
  if (start === null || end === null) return false;
  const battle: EndedBattle = { ...settling, start, end };
  if (!(await call(broker, "gift.settledBefore", { time: iso(end) })).settled) return false;
  if (await waitsForDeadLetters(service, battleId)) return false;
  const dead = await deadGiftsOf(mysql, battleId, start, end);
  const { sums, without } = await decide(service, battle, dead, signal);
  const tops = await topSendersOf(service, battle, without, signal);
  const totals = sums.map((sum, side) => ({ ...sum, topSenders: tops[side] ?? [] }));
  signal.throwIfAborted();
  const ended = await mysql.transaction(async (tx) => {
    const locked = await lockBattle(tx, battleId);
    if (!locked || !mayMove(locked.state, "ended")) return true;
    // A dead letter that came meanwhile is decided by a new calculation.
    if ((await deadGiftsOf(tx, battleId, start, end)).length !== dead.length) return false;
    const [first, second] = locked.sides.map(({ userId, deserted }, side) => ({
      ...{ userId, deserted, score: totals[side]?.score ?? 0, gifts: totals[side]?.gifts ?? 0 },
      roomId: locked.sides[side]?.roomId ?? 0,
    })) as [ScoredSide, ScoredSide];
    const winner = winnerOf([first, second]);
    await exclude(tx, battleId, without);
    await writeResults(tx, battleId, totals);
    await moveBattle(tx, battleId, "ended", { winner, ended: true });
    await bumpRevision(tx);
    const sides = [first, second].map(({ roomId, userId, score, gifts }) => ({ roomId, userId, score, gifts }));
    const excluded = without.slice(0, limits.battle.excludedShown);
    const times = { startTime: iso(start), endTime: iso(end), time: iso(end) };
    const data = { battleId, kind: locked.kind, sides, ...times, winner, excluded };
    const event = durableEvent("battle.ended", battleId, data, new Date(clock.now()));
    await outbox.add(tx, { ...event, orderKey: `battle:${battleId}` });
    service.logger.info({ battleId, winner, excluded: without.length }, "the result of a battle is stored");
    return true;
  });
  if (!ended) return false;
  outbox.wake();
  showSoon(service, battleId);
  return true;
}

interface ScoredSide {
  roomId: number;
  userId: string;
  deserted: boolean;
  score: number;
  gifts: number;
}
