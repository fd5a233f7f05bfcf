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

/** Lets nobody go live whose account is frozen or invalid. Fails: accountUnusable; unavailable where the wallet is away. */
export async function requireUsable(caller: Calling, userId: string): Promise<void> {
  if (!(await isUsable(caller, userId))) throw fail("accountUnusable", { userId });
}

/**
 * Closes the live room of an anchor whose account is frozen or invalid at this moment, as she would herself: event and
 * record are durable when it returns. Runs for each durable event `account.frozen` and `room.opened`: the later of the
 * two finds the other, so a concurrent freeze and start leave no live room, whichever node dies. The event only
 * triggers the check: one that comes late, or again, closes no room of an anchor who is unfrozen by then. The room is
 * read before the account: one that opens after that has an event of its own. Fails: unavailable where the wallet is away.
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
 * The same for those of these anchors, `limits.wallet.accountsPerCall` at the most, whom the wallet calls unusable: for what
 * no event told of. Fails: unavailable where the wallet is away.
 */
export async function closeUnusableAmong(rooms: Rooms, anchorIds: readonly string[]): Promise<void> {
  const options = { timeout: limits.look.answerTimeoutMs };
  const { userIds } = await call(rooms.broker, "wallet.unusableOf", { userIds: [...anchorIds] }, options);
  for (const anchorId of userIds) await closeIfUnusable(rooms, anchorId, undefined);
}
