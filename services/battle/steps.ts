import { fail } from "../../broker/failure.ts";
import { call } from "../contracts.ts";
import { durableEvent } from "../durable-event.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { type Battle, isOverdue, mayMove, sidesThatMayDesert } from "./battle-state.ts";
import { battleById, lockBattle, markEndAsked, markUnlinked, moveBattle } from "./battle-store.ts";
import { bumpRevision } from "./score-store.ts";
import { showSoon } from "./show-state.ts";
import { markDeserted } from "./side-store.ts";

/**
 * The moves of a battle between invitation and result. Each may be done by any node and again after a crash: the time
 * comes from a message that is stored once, and the battle's row decides whether the move is made.
 */

const iso = (ms: number) => new Date(ms).toISOString();
const sidesOf = (battle: Battle) => battle.sides.map(({ roomId, userId }) => ({ roomId, userId }));

/**
 * Starts an accepted battle: its start is the time of its start message. Fails: unavailable; battleState, where it
 * expired meanwhile.
 */
export async function begin(service: BattleService, battleId: string): Promise<void> {
  const { mysql, outbox, clock } = service;
  const accepted = await battleById(mysql, battleId);
  if (!accepted || accepted.start !== null) return;
  const start = await clock.mark(battleId, "start");
  const started = await mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (!battle || battle.start !== null) return false;
    if (!mayMove(battle.state, "running") || battle.startingMs === null)
      throw fail("battleState", { battleId, state: battle.state });
    const plannedEnd = start + battle.durationMs;
    await moveBattle(tx, battleId, "running", { start, plannedEnd });
    await bumpRevision(tx);
    const times = { startTime: iso(start), endTime: iso(plannedEnd), time: iso(start) };
    const data = { battleId, kind: battle.kind, sides: sidesOf(battle), ...times };
    const event = durableEvent("battle.started", battleId, data, new Date(start));
    await outbox.add(tx, { ...event, orderKey: `battle:${battleId}` });
    return true;
  });
  if (!started) return;
  outbox.wake();
  showSoon(service, battleId);
  service.logger.info({ battleId, kind: accepted.kind, start: iso(start) }, "a battle has started");
}

/** Expires an invitation, or a battle that could not start in time. */
export async function expire(service: BattleService, battleId: string): Promise<void> {
  const { inviteMs, startWithinMs } = settingsOf(service);
  const expired = await service.mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (!battle || !mayMove(battle.state, "expired")) return false;
    const late = battle.startingMs === null ? isOverdue(battle, { inviteMs }) : battle.startingMs >= startWithinMs;
    if (!late) return false;
    await moveBattle(tx, battleId, "expired");
    if (battle.startingMs !== null) await bumpRevision(tx);
    return true;
  });
  if (expired) showSoon(service, battleId);
}

/**
 * Moves a running battle to settling; `endOf` says when it ends, `undefined`: not yet. Sides that are gone, and had been
 * away for `limits.battle.awayMs` at a planned end that has passed by `lateMs`, lose: nobody may have noticed in time.
 * `lateMs`, at the most, is read after the lock is taken: neither a wait for the lock nor a late clock counts as absence.
 */
async function stop(
  service: BattleService,
  battleId: string,
  endOf: (battle: Battle & { plannedEnd: number }) => number | undefined,
  lateMs?: (battle: Battle & { plannedEnd: number }) => number,
): Promise<void> {
  const { awayMs } = settingsOf(service);
  const stopped = await service.mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (!battle || battle.plannedEnd === null || !mayMove(battle.state, "settling")) return false;
    const running = { ...battle, plannedEnd: battle.plannedEnd };
    const end = endOf(running);
    if (end === undefined) return false;
    if (lateMs) {
      const enoughMs = awayMs + lateMs(running);
      const lost = sidesThatMayDesert(battle).filter((side) => {
        const { gone, awayMs: ownMs } = battle.sides[side];
        return gone && ownMs !== null && ownMs >= enoughMs;
      });
      await markDeserted(tx, battleId, lost, awayMs);
    }
    await moveBattle(tx, battleId, "settling", { end });
    await bumpRevision(tx);
    return true;
  });
  if (!stopped) return;
  showSoon(service, battleId);
  service.scheduler.wake();
}

/** Ends a battle whose early end is asked for: at the time of its end message, or at the planned end if that is earlier. */
export async function finish(service: BattleService, battleId: string): Promise<void> {
  const time = await service.clock.mark(battleId, "end");
  // A message of the moment of the start must not make an end before it.
  await stop(service, battleId, ({ start, plannedEnd }) => Math.min(Math.max(time, start ?? time), plannedEnd));
}

/** Ends a battle whose planned end JetStream's clock has passed: `time` is the timestamp of a stored message. */
export async function endOnTime(service: BattleService, battleId: string, time: number): Promise<void> {
  const endOf = ({ plannedEnd }: { plannedEnd: number }) => (plannedEnd <= time ? plannedEnd : undefined);
  await stop(service, battleId, endOf, ({ plannedEnd }) => service.clock.latest() - plannedEnd);
}

/**
 * Ends a battle because these sides were away for too long, which is certain of them. Checked again under the lock of
 * the row.
 */
export async function desert(service: BattleService, battleId: string, certain: readonly number[]): Promise<void> {
  const { awayMs } = settingsOf(service);
  const deserted = await service.mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (battle?.state !== "running" || battle.endAsked) return false;
    const sides = sidesThatMayDesert(battle).filter((side) => certain.includes(side));
    if ((await markDeserted(tx, battleId, sides, awayMs)) === 0) return false;
    await markEndAsked(tx, battleId, null);
    return true;
  });
  if (!deserted) return;
  service.logger.info({ battleId, awayMs }, "a battle ends: a side has been away for too long");
  await finish(service, battleId);
}

/** Unlinks the guest of a battle that is over. */
export async function unlink(service: BattleService, { id, sides }: Battle): Promise<void> {
  await call(service.broker, "living-room.unlinkGuest", { roomId: sides[1].roomId, battleId: id });
  await markUnlinked(service.mysql, id);
}
