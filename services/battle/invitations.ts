import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import { call } from "../contracts.ts";
import type { LiveRoom } from "../living-room/living-room.contract.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { type Battle, isFinal, isOverdue, mayMove } from "./battle-state.ts";
import { battlesById, insertBattle, lockBattle, markEndAsked, markStarting, moveBattle } from "./battle-store.ts";
import { hasJustInvited } from "./rest-store.ts";
import { bumpRevision } from "./score-store.ts";
import { showSoon } from "./show-state.ts";
import { openBattleIds } from "./slot-store.ts";
import { begin, expire, finish } from "./steps.ts";

/**
 * What anchors do with battles. The row of a battle decides between simultaneous calls, and the slots decide between
 * battles: where two rooms invite each other at once, one invitation is stored and the other call fails.
 */

export type Sides = readonly [{ roomId: number; userId: string }, { roomId: number; userId: string }];
export type Answer = { battleId: string };

interface Wanted {
  readonly kind: Battle["kind"];
  readonly durationS: number;
  readonly sides: Sides;
}

const attempts = 3;

/** The live room. Fails: roomNotLive. */
export async function liveRoom({ broker }: BattleService, roomId: number): Promise<LiveRoom> {
  const room = await call(broker, "living-room.find", { roomId });
  if (!room) throw fail("roomNotLive", { roomId });
  return room;
}

/** Fails: accountUnusable, where one of the accounts is frozen or invalid. */
export async function requireUsable({ broker }: BattleService, sides: Sides): Promise<void> {
  const { userIds } = await call(broker, "wallet.unusableOf", { userIds: sides.map(({ userId }) => userId) });
  if (userIds.length > 0) throw fail("accountUnusable", { userIds });
}

/** The battle is not begun, or runs, and is what a repeat of the same call wants. */
function isSame(open: Battle, { kind, durationS, sides }: Wanted): boolean {
  const sameSides = open.sides.every(
    ({ roomId, userId }, side) => roomId === sides[side]?.roomId && userId === sides[side]?.userId,
  );
  if (open.kind !== kind || !sameSides) return false;
  return kind === "guest"
    ? open.state !== "settling"
    : open.state === "invited" && open.durationMs === durationS * 1_000;
}

/** The open battles of the sides, and among them the one of an earlier call of the same. */
async function openOf(service: BattleService, wanted: Wanted): Promise<{ open: Battle[]; same: Battle | undefined }> {
  const { mysql } = service;
  const found = await battlesById(mysql, await openBattleIds(mysql, wanted.sides));
  // Some may have ended since their slots were read.
  const open = found.filter(({ state }) => !isFinal(state));
  const same = open.find((battle) => isSame(battle, wanted));
  return { open, same: same && !isOverdue(same, settingsOf(service)) ? same : undefined };
}

/** The open battle of an earlier call of the same, if there is one. */
export async function openedBefore(service: BattleService, wanted: Wanted): Promise<Battle | undefined> {
  return (await openOf(service, wanted)).same;
}

/**
 * Writes an invited battle, or finds the one of an earlier call. Invitations in its way whose time is over are expired
 * first. `isTooSoon` is asked once the slots are taken, so no other battle of the sides ends meanwhile. Fails:
 * alreadyLinked.
 */
export async function openBattle(
  service: BattleService,
  wanted: Wanted,
  isTooSoon: (tx: Transaction) => Promise<boolean>,
): Promise<Answer & { found: boolean }> {
  const { mysql } = service;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const battleId = await mysql.transaction(async (tx) => {
        const id = await insertBattle(tx, { ...wanted, shown: wanted.kind === "rooms" });
        if (await isTooSoon(tx)) throw fail("alreadyLinked", { sides: wanted.sides, why: "too soon after the last" });
        return id;
      });
      return { battleId, found: false };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const { open, same } = await openOf(service, wanted);
    if (same) return { battleId: same.id, found: true };
    const overdue = open.filter((battle) => isOverdue(battle, settingsOf(service)));
    if (overdue.length < open.length) throw fail("alreadyLinked", { battleIds: open.map(({ id }) => id) });
    for (const { id } of overdue) await expire(service, id);
  }
  throw fail("alreadyLinked", { sides: wanted.sides });
}

export async function invite(
  service: BattleService,
  params: { userId: string; roomId: number; opponentRoomId: number; durationS: number },
): Promise<Answer> {
  const { userId, roomId, opponentRoomId, durationS } = params;
  if (roomId === opponentRoomId) throw fail("battleWithSelf", { roomId });
  const [own, opponent] = await Promise.all([liveRoom(service, roomId), liveRoom(service, opponentRoomId)]);
  if (own.anchorId !== userId) throw fail("notYourBattle", { roomId, userId });
  const sides: Sides = [
    { roomId, userId },
    { roomId: opponentRoomId, userId: opponent.anchorId },
  ];
  if (opponent.anchorId === userId) throw fail("battleWithSelf", { roomId, opponentRoomId });
  await requireUsable(service, sides);
  // The other side may invite back at once.
  const again = { from: userId, to: opponent.anchorId, ms: limits.battle.inviteAgainMs };
  const wanted = { kind: "rooms", durationS, sides } as const;
  const { battleId, found } = await openBattle(service, wanted, (tx) => hasJustInvited(tx, again));
  if (!found) showSoon(service, battleId);
  return { battleId };
}

/** The locked battle of a call. Fails: battleUnknown; notYourBattle, where the user is not the given side, or either. */
async function lockOwn(tx: Transaction, battleId: string, userId: string, side?: 0 | 1): Promise<Battle> {
  const battle = await lockBattle(tx, battleId);
  if (!battle) throw fail("battleUnknown", { battleId });
  const own = battle.sides.findIndex((one) => one.userId === userId);
  if (own === -1 || (side !== undefined && own !== side)) throw fail("notYourBattle", { battleId, userId });
  return battle;
}

export async function accept(
  service: BattleService,
  { battleId, userId }: { battleId: string; userId: string },
): Promise<Answer> {
  const isOpen = await service.mysql.transaction(async (tx) => {
    const battle = await lockOwn(tx, battleId, userId, 1);
    if (battle.start !== null) return false;
    if (battle.kind !== "rooms" || battle.state !== "invited" || isOverdue(battle, settingsOf(service)))
      throw fail("battleState", { battleId, state: battle.state });
    if (battle.startingMs === null) {
      await markStarting(tx, battleId);
      await bumpRevision(tx);
    }
    return true;
  });
  if (isOpen) await begin(service, battleId);
  return { battleId };
}

/** Ends an open invitation by its inviting or its invited side. */
async function close(
  service: BattleService,
  { battleId, userId }: { battleId: string; userId: string },
  { side, to }: { side: 0 | 1; to: "declined" | "cancelled" },
): Promise<Answer> {
  await service.mysql.transaction(async (tx) => {
    const battle = await lockOwn(tx, battleId, userId, side);
    if (battle.state === to) return;
    const isOpen = battle.kind === "rooms" && mayMove(battle.state, to) && battle.startingMs === null;
    if (!isOpen || isOverdue(battle, settingsOf(service))) throw fail("battleState", { battleId, state: battle.state });
    await moveBattle(tx, battleId, to);
  });
  showSoon(service, battleId);
  return { battleId };
}

export const decline = (service: BattleService, params: { battleId: string; userId: string }) =>
  close(service, params, { side: 1, to: "declined" });

export const cancel = (service: BattleService, params: { battleId: string; userId: string }) =>
  close(service, params, { side: 0, to: "cancelled" });

/** Ends a running battle early. */
export async function end(
  service: BattleService,
  { battleId, userId }: { battleId: string; userId: string },
): Promise<Answer> {
  const isRunning = await service.mysql.transaction(async (tx) => {
    const battle = await lockOwn(tx, battleId, userId);
    if (battle.state === "settling" || battle.state === "ended") return false;
    if (battle.state !== "running") throw fail("battleState", { battleId, state: battle.state });
    if (!battle.endAsked) await markEndAsked(tx, battleId, userId);
    return true;
  });
  if (isRunning) await finish(service, battleId);
  return { battleId };
}
