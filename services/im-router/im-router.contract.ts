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
const notice = { userId, ...message };
const roomMessage = { roomId: id, senderId, ...message };

export const imRouterActions = {
  /**
   * A personal notice. `msgId` is stable across repeats (derive it from the business id). When it returns the notice is
   * kept for `limits.jetstream.noticesAgeMs` or until the client acks it, and comes with the next connection too. Says
   * how many connections took it now; 0 where the user is offline. Fails: unavailable; repeat it then.
   */
  sendToUser: action(notice).returns<{ delivered: number }>(),
  /** The same for many users: one look-up, one call a node. */
  sendToUsers: action({ notices: z.array(z.object(notice)).max(5_000) }).returns<{ delivered: number }>(),
  /**
   * One message to everybody in a room, numbered in the room's order. `senderId` is "0" for the system. Fails: unavailable;
   * tooMany, where it is chat (5555) and more than `limits.im.roomChatBytes` of the room's waits: it is not sent then.
   */
  sendToRoom: action(roomMessage).returns<null>(),
  /**
   * Gifts that succeeded, gathered with others for a room tick and sent as one frame a room. Returns after the frames
   * were handed to the nodes that hold members: then, and only then, may the caller forget the gifts. The rooms of a
   * call are of one router bucket (`routerBucketOf` in services/im-buckets.ts). A call that failed
   * may have been sent: repeat it with the same order ids, by which viewers count. Fails: unavailable.
   */
  roomGifts: action({
    bucket,
    rooms: z
      .array(z.object({ roomId: id, gifts: z.array(roomGift).min(1).max(2_000) }))
      .min(1)
      .max(2_000),
  }).returns<null>(),
  /**
   * What sendToRoom and closeRoom do on the router of the room's bucket, where it meets the room's gifts. Others call
   * those two. Fails: as sendToRoom.
   */
  post: action({ bucket, ...roomMessage }).returns<null>(),
  /** Everybody in a room is told (5562) and let go (4410); nobody comes in from now on. */
  closeRoom: action({ roomId: id }).returns<null>(),
  /** Where a user is connected, as of the last lease: for operators. */
  whereIs: action({ userId }).returns<{ nodeId: string; roomId: number; since: string }[]>(),
  /**
   * Who is in rooms now. `members` counts those of living im-servers, `anchor` whether the anchor is connected to that very
   * room. Not `known`: Redis or all im-servers are away, or were within the last seconds, so absence proves nothing.
   * Each such outage starts a new `epoch`. With `certain`, an anchor who is not found in Redis is asked for at every
   * im-server; `anchor` is `null` where one of them does not answer. Fails: unavailable, where this router cannot tell yet.
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
  /** A live im-server's public address, spread evenly. Fails: unavailable, where there is none. */
  pickServer: action({}).returns<{ address: string }>(),
  /**
   * The same with a token for one connection of the user (see `im-server.token`). It is made here: when a node has died
   * its whole crowd asks, and the nodes that are left have enough to do with letting it in. Fails: unavailable.
   */
  ticket: action({ userId }).returns<{ address: string; token: string }>(),
};
