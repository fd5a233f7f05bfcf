import { z } from "zod";
import { isShallow } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { bucket, id, integer, senderId, userId } from "../fields.ts";

/** What other services may use of the IM router: it finds where a user or a room is connected and sends there. */

const roomGift = z.object({
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  giftId: id,
  count: id,
  price: id,
  url: z.string().max(limits.gift.urlChars),
});
/** A gift that succeeded, as the room is to see it. */
export type RoomGift = z.infer<typeof roomGift>;

const message = {
  msgId: z.string().min(1).max(100),
  bizCode: integer(),
  /** What a frame shows: any fields, but none so deep that the frame cannot be written. */
  data: z
    .unknown()
    .refine((data) => isShallow(data, limits.im.dataLevels))
    .pipe(z.record(z.string(), z.unknown())),
};
const notification = { userId, ...message };
const roomMessage = { roomId: id, senderId, ...message };

export const imRouterActions = {
  /**
   * A notification to one user. `msgId` is stable across repeats (derive it from the business id). When it returns the
   * notification is stored for `limits.jetstream.notificationsAgeMs` or until the client acks it: it is sent to the
   * user's connection, and to the next one. Fails: unavailable; repeat it then.
   */
  sendToUser: action(notification).returns<null>(),
  /** The same for many users: one read of presence, one call a node. */
  sendToUsers: action({
    notifications: z.array(z.object(notification)).max(limits.im.notificationsPerCall),
  }).returns<null>(),
  /**
   * One message to everybody in a room, numbered in the room's order. `senderId` is "0" for the system. Fails: unavailable;
   * tooMany, where it is chat (5555) and more than `limits.im.roomChatBytes` of the room's waits: it is not sent then.
   */
  sendToRoom: action(roomMessage).returns<null>(),
  /**
   * Gifts that succeeded, gathered with others for a room tick and sent as one frame a room. Returns after the frames
   * were handed to the nodes that hold members: then, and only then, may the caller forget the gifts. The rooms of a
   * call are of one router bucket (`routerBucketOf` in services/im-buckets.ts). A call that failed may have been sent: repeat it
   * with the same order ids, by which viewers count. Fails: unavailable.
   */
  roomGifts: action({
    bucket,
    rooms: z
      .array(z.object({ roomId: id, gifts: z.array(roomGift).min(1).max(limits.im.giftsPerCall) }))
      .min(1)
      .max(limits.im.giftsPerCall),
  }).returns<null>(),
  /**
   * What sendToRoom and closeRoom do on the router of the room's bucket, where it meets the room's gifts. Others call
   * those two. Fails: as sendToRoom.
   */
  post: action({ bucket, ...roomMessage }).returns<null>(),
  /** Sends 5562 to everybody in a room and closes their connections (4410); nobody comes in from here on. */
  closeRoom: action({ roomId: id }).returns<null>(),
  /** Where a user is connected, as of the last lease: for operators. */
  whereIs: action({ userId }).returns<{ nodeId: string; roomId: number; since: string }[]>(),
  /**
   * The users in rooms now. `members` counts those of live im-servers; `anchor` is true where the anchor is connected to that
   * very room. Not `known`: Redis or all im-servers are away, or were within the last seconds, so absence proves nothing.
   * Each such outage starts a new `epoch`. With `certain`, every im-server is asked for an anchor who is not in Redis;
   * `anchor` is `null` where one of them does not answer. Fails: unavailable, while this router starts.
   */
  attendance: action({
    rooms: z
      .array(z.object({ roomId: id, anchorId: userId }))
      .min(1)
      .max(1_000),
    certain: z.boolean(),
  }).returns<
    | { known: false }
    | { known: true; epoch: string; rooms: { roomId: number; members: number; anchor: boolean | null }[] }
  >(),
  /**
   * A live im-server's public address, spread evenly, and a token for one connection of the user, which lives
   * `limits.im.tokenTtlMs` and works once, on any node. The token is made here and not by an im-server: when a node has
   * died all its users ask, and the nodes that are left are busy with letting them in. Fails: unavailable.
   */
  ticket: action({ userId }).returns<{ address: string; token: string }>(),
};
