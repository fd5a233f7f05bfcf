import type { Service } from "moleculer";
import { fail, isFailure } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { broadcast, call } from "../contracts.ts";
import { closeRoom } from "./broadcasting.ts";
import { roomByAnchor } from "./room-store.ts";

type Rooms = Service & { mysql: Database } & OutboxState;

type Calling = Parameters<typeof call>[0];

/** Why an anchor may not broadcast now. Fails: unavailable where the wallet or the user service is away. */
async function obstacleOf(caller: Calling, userId: string, requestID?: string) {
  const [unusable, banned] = await Promise.all([
    call(caller, "wallet.unusableOf", { userIds: [userId] }, { requestID }),
    call(caller, "user.bannedAmong", { userIds: [userId] }, { requestID }),
  ]);
  if (banned.userIds.length > 0) return "banned";
  return unusable.userIds.length > 0 ? "accountUnusable" : undefined;
}

/**
 * Fails: accountUnusable where the account is frozen or invalid; banned where the user is so everywhere; unavailable
 * where the wallet or the user service is away.
 */
export async function requireUsable(caller: Calling, userId: string): Promise<void> {
  const obstacle = await obstacleOf(caller, userId);
  if (obstacle) throw fail(obstacle, { userId });
}

/**
 * Closes the live room of an anchor who is banned everywhere, or whose account is frozen or invalid now; record and event
 * are durable when it returns. It runs for each durable event `account.frozen`, `user.restricted` and `room.opened`. The
 * later of two sees both, so a concurrent freeze and start leave no live room, whichever node dies. The event only
 * triggers the check: a late or repeated one closes no room of an anchor who is unfrozen by then. The room is read before
 * the account, since a room that opens after the read has an event of its own. Fails: unavailable where the wallet or the
 * user service is away.
 */
export async function closeIfUnusable(rooms: Rooms, anchorId: string, requestId: string | undefined): Promise<void> {
  const room = await roomByAnchor(rooms.mysql, anchorId);
  const obstacle = room && (await obstacleOf(rooms.broker, anchorId, requestId));
  if (!room || !obstacle) return;
  const { roomId } = room;
  try {
    await closeRoom(rooms, { anchorId, roomId, requestId: requestId ?? null });
  } catch (error) {
    // It was hers when it was read above, so it is closed by now: room ids are never reused.
    if (!isFailure(error, "notYourRoom")) throw error;
  }
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  const why = obstacle === "banned" ? "its anchor is banned" : "the account of its anchor is frozen or invalid";
  rooms.logger.warn({ roomId, anchorId, requestId }, `room closed: ${why}`);
}

/**
 * Closes the live rooms of those anchors who are banned everywhere or whose accounts are unusable; at most
 * `limits.wallet.accountsPerCall` anchors. For freezes and bans whose event was lost. Fails: unavailable where the wallet
 * or the user service is away.
 */
export async function closeUnusableAmong(rooms: Rooms, anchorIds: readonly string[]): Promise<void> {
  const options = { timeout: limits.attendance.answerTimeoutMs };
  const userIds = [...anchorIds];
  const [unusable, banned] = await Promise.all([
    // Those whose account cannot be read now are looked at again with the next check.
    call(rooms.broker, "wallet.unusableOf", { userIds, apart: true }, options),
    call(rooms.broker, "user.bannedAmong", { userIds }, options),
  ]);
  for (const anchorId of new Set([...unusable.userIds, ...banned.userIds]))
    await closeIfUnusable(rooms, anchorId, undefined);
}
