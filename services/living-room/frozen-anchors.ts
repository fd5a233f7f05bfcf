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

async function isUsable(caller: Calling, userId: string, requestID?: string): Promise<boolean> {
  const { userIds } = await call(caller, "wallet.unusableOf", { userIds: [userId] }, { requestID });
  return userIds.length === 0;
}

/** Fails: accountUnusable where the account is frozen or invalid; unavailable where the wallet is away. */
export async function requireUsable(caller: Calling, userId: string): Promise<void> {
  if (!(await isUsable(caller, userId))) throw fail("accountUnusable", { userId });
}

/**
 * Closes the live room of an anchor whose account is frozen or invalid now; record and event are durable when it
 * returns. It runs for each durable event `account.frozen` and `room.opened`. The later of the two sees both, so a
 * concurrent freeze and start leave no live room, whichever node dies. The event only triggers the check: a late or
 * repeated one closes no room of an anchor who is unfrozen by then. The room is read before the account, since a room
 * that opens after the read has an event of its own. Fails: unavailable where the wallet is away.
 */
export async function closeIfUnusable(rooms: Rooms, anchorId: string, requestId: string | undefined): Promise<void> {
  const room = await roomByAnchor(rooms.mysql, anchorId);
  if (!room || (await isUsable(rooms.broker, anchorId, requestId))) return;
  const { roomId } = room;
  try {
    await closeRoom(rooms, { anchorId, roomId, requestId: requestId ?? null });
  } catch (error) {
    // It was hers when it was read above, so it is closed by now: room ids are never reused.
    if (!isFailure(error, "notYourRoom")) throw error;
  }
  await broadcast(rooms.broker, "living-room.changed", { roomId });
  rooms.logger.warn({ roomId, anchorId, requestId }, "room closed: the account of its anchor is frozen or invalid");
}

/**
 * Closes the live rooms of those anchors whose accounts the wallet calls unusable; at most
 * `limits.wallet.accountsPerCall` anchors. For freezes whose event was lost. Fails: unavailable where the wallet is away.
 */
export async function closeUnusableAmong(rooms: Rooms, anchorIds: readonly string[]): Promise<void> {
  const options = { timeout: limits.attendance.answerTimeoutMs };
  const { userIds } = await call(rooms.broker, "wallet.unusableOf", { userIds: [...anchorIds] }, options);
  for (const anchorId of userIds) await closeIfUnusable(rooms, anchorId, undefined);
}
