import { fail, failureName, isFailure } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import type { BattleService } from "./battle-service.ts";
import { battlesById, lockBattle, markEndAsked, markStarting, moveBattle, newestOfRoom } from "./battle-store.ts";
import { type Answer, end, liveRoom, openBattle, openedBefore, requireUsable, type Sides } from "./invitations.ts";
import { wasSentAway } from "./rest-store.ts";
import { bumpRevision } from "./score-store.ts";
import { openBattleIdsOfRooms } from "./slot-store.ts";
import { begin } from "./steps.ts";

/** What guests do with battles. The guest is linked as receiver before her battle starts, and unlinked after its end. */

/** The room type whose viewers may join. */
const pkRoom = 2;

/** A viewer joins the anchor of a room: there is no invitation, the battle starts at once. */
export async function join(
  service: BattleService,
  { userId, roomId }: { userId: string; roomId: number },
): Promise<Answer> {
  const room = await liveRoom(service, roomId);
  if (room.type !== pkRoom) throw fail("roomNotPk", { roomId, type: room.type });
  if (room.anchorId === userId) throw fail("battleWithSelf", { roomId });
  const sides: Sides = [
    { roomId, userId: room.anchorId },
    { roomId, userId },
  ];
  const wanted = { kind: "guest", durationS: limits.battle.durationDefaultS, sides } as const;
  const before = await openedBefore(service, wanted);
  if (before?.state === "running") return { battleId: before.id };
  await requireUsable(service, sides);
  if (!before) await requireInRoom(service, { roomId, userId });
  const sent = { roomId, guestId: userId, anchorId: room.anchorId, ms: limits.battle.joinAgainMs };
  const { battleId } = await openBattle(service, wanted, (tx) => wasSentAway(tx, sent));
  await link(service, battleId, { roomId, guestId: userId });
  await begin(service, battleId);
  return { battleId };
}

/** Fails: roomNotLive, where it is certain that the viewer is not connected to the room; unavailable. */
async function requireInRoom(
  { broker }: BattleService,
  { roomId, userId }: { roomId: number; userId: string },
): Promise<void> {
  const asked = { rooms: [{ roomId, anchorId: userId }], certain: true };
  const options = { timeout: limits.attendance.answerTimeoutMs };
  const answer = await call(broker, "im-router.attendance", asked, options);
  if (answer.known && answer.rooms[0]?.anchor === false)
    throw fail("roomNotLive", { roomId, userId, why: "not in it" });
}

/** Links the guest and marks the battle as accepted. Fails: as `living-room.linkGuest`; then the battle is cancelled. */
async function link(
  service: BattleService,
  battleId: string,
  { roomId, guestId }: { roomId: number; guestId: string },
): Promise<void> {
  try {
    await call(service.broker, "living-room.linkGuest", { roomId, guestId, battleId });
  } catch (error) {
    if (failureName(error) !== undefined && !isFailure(error, "unavailable"))
      await cancelUnstarted(service, battleId, null);
    throw error;
  }
  await service.mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (battle?.state !== "invited" || battle.startingMs !== null) return;
    await markStarting(tx, battleId);
    await bumpRevision(tx);
  });
}

/** `by`: who asked for it. Returns whether the battle was neither started nor accepted. */
async function cancelUnstarted({ mysql }: BattleService, battleId: string, by: string | null): Promise<boolean> {
  return mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (battle?.state !== "invited" || battle.startingMs !== null) return false;
    if (by !== null) await markEndAsked(tx, battleId, by);
    await moveBattle(tx, battleId, "cancelled");
    return true;
  });
}

/** The guest or the anchor ends the guest's battle of a room. Fails: battleUnknown, notYourBattle. */
export async function leave(
  service: BattleService,
  { userId, roomId }: { userId: string; roomId: number },
): Promise<Answer> {
  const { mysql } = service;
  const ids = (await openBattleIdsOfRooms(mysql, [roomId])).map(({ battleId }) => battleId);
  const battle = (await battlesById(mysql, ids))[0] ?? (await newestOfRoom(mysql, roomId));
  if (battle?.kind !== "guest") throw fail("battleUnknown", { roomId });
  const battleId = battle.id;
  if (battle.state === "invited") {
    if (!battle.sides.some((side) => side.userId === userId)) throw fail("notYourBattle", { battleId, userId });
    if (await cancelUnstarted(service, battleId, userId)) return { battleId };
    await begin(service, battleId);
  }
  return end(service, { battleId, userId });
}
