import { z } from "zod";
import { isShallow } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { battleView } from "../battle/battle.contract.ts";
import { amount, bucket, chatMsgId, id, integer, isoTime, senderId, traceparent, userId } from "../fields.ts";
import { bizCodes } from "../im-frames.ts";
import { imRouterStaffActions } from "./staff.contract.ts";

/** The actions of the IM router for other services. It finds where a user or a room is connected, and sends there. */

const roomGift = z.object({
  orderId: z.string().min(1).max(64),
  senderId: userId,
  receiverId: userId,
  giftId: id,
  count: id,
  price: id,
  url: z.string().max(limits.gift.urlChars),
  /** The streak of the gift (services/gift/combos.ts), and the pieces in it so far. */
  combo: z.object({ id: z.string().min(1).max(20), count: id }).optional(),
});
const battleScores = z.object({
  battleId: z.string().regex(/^[1-9]\d{0,19}$/),
  /** Its rooms of the call's router. */
  roomIds: z.array(id).min(1).max(2),
  scores: z.array(z.object({ userId, score: amount })).max(2),
  /** When the battle ends, by the clock of JetStream. */
  endTime: isoTime,
  /**
   * How long it still runs by the clock of JetStream, ms, when the call is made. Without it the router's own clock
   * decides.
   */
  remainingMs: amount.optional(),
});
/** The scores of a running battle. */
export type BattleScores = z.infer<typeof battleScores>;

/** Where a user connects, and the token for it. */
export interface Ticket {
  address: string;
  token: string;
}

/** A gift that succeeded, as sent to the room. */
export type RoomGift = z.infer<typeof roomGift>;

const message = {
  msgId: z.string().min(1).max(100),
  bizCode: integer(),
  /** The content of a frame: any fields, but not so deep that the frame cannot be serialized. */
  data: z
    .unknown()
    .refine((data) => isShallow(data, limits.im.dataLevels))
    .pipe(z.record(z.string(), z.unknown())),
};
const notification = { userId, ...message };
const roomMessage = { roomId: id, senderId, ...message };
/** An im-server sends what users say, and nothing of the system's: gifts and closings are the router's. */
const chat = { ...roomMessage, senderId: userId, bizCode: z.literal(bizCodes.chat) };

export const imRouterActions = {
  ...imRouterStaffActions,
  /**
   * A notification to one user. `msgId` is the same in every repeat: derive it from the business id. When it returns,
   * the notification is stored for `limits.jetstream.notificationsAgeMs` or until the client acks it. It is sent to the
   * user's present and next connection. Fails: unavailable; then repeat it.
   */
  sendToUser: action(notification).returns<null>(),
  /** The same for many users: one read of presence, one call to each node. */
  sendToUsers: action({
    notifications: z.array(z.object(notification)).max(limits.im.notificationsPerCall),
  }).returns<null>(),
  /**
   * Chat (5555) of a user to everybody in a room, numbered in the room's order. Fails: unavailable; tooMany, where more
   * than `limits.im.roomChatBytes` of the room's chat waits. Then it is not sent.
   */
  sendToRoom: action(chat).returns<null>(),
  /**
   * Gifts that succeeded. They are merged with others of a room's tick and sent as one frame for each room. Returns
   * after the frames were passed to the nodes with members; until then the caller must keep the gifts. The rooms of a
   * call are of one router bucket (`routerBucketOf` in services/im-buckets.ts). A call that failed may have been sent:
   * repeat it with the same order ids, which viewers count once. Fails: unavailable.
   */
  roomGifts: action({
    bucket,
    rooms: z
      .array(
        z.object({
          roomId: id,
          gifts: z.array(roomGift).min(1).max(limits.im.giftsPerCall),
          traces: z.array(traceparent).max(limits.traces.carried).optional(),
        }),
      )
      .min(1)
      .max(limits.im.giftsPerCall),
  }).returns<null>(),
  /**
   * The state of a battle (5559) to its rooms, numbered as all frames of a room. `msgId` is made of the battle and the
   * change, and is the same in every repeat. Returns after the frames were passed to the nodes with members. Fails:
   * unavailable; then repeat it.
   */
  battleState: action({ rooms: z.array(id).min(1).max(2), msgId: message.msgId, data: battleView }).returns<null>(),
  /**
   * Scores of running battles (5558) to their rooms: at most one frame a tick and room, with the newest scores. Returns
   * at once, with the time until the tick ends that sends them. They may be lost, so nothing is repeated. The rooms of a call are of buckets (`routerBucketOf` in
   * services/im-buckets.ts) of one router, by `rendezvousNode` in broker/rendezvous-strategy.ts; `bucket` is any of these.
   * A battle of two rooms is in two calls, unless both are of the same router.
   */
  battleScores: action({
    bucket,
    battles: z.array(battleScores).min(1).max(limits.im.battlesPerCall),
  }).returns<{ tickEndsInMs: number }>(),
  /**
   * Any message to everybody in a room; `senderId` is "0" for the system. `sendToRoom`, `battleState` and `closeRoom`
   * call this on the router of the room's bucket, where the room's gifts arrive too. Other services call those three.
   * Fails: as sendToRoom.
   */
  post: action({ bucket, ...roomMessage }).returns<null>(),
  /** Sends 5562 to everybody in a room and closes their connections (4410). From then on nobody can enter. */
  closeRoom: action({ roomId: id }).returns<null>(),
  /**
   * Takes a chat message out of the room's history, where 5564 takes its place and number, and sends 5564 to everybody in
   * the room. A message of one of `spared` stays. With `always`, 5564 is sent for a message that the history does not
   * have any more: it may be on screens. A repeat is harmless. Fails: chatUnknown, where it is not in the history, without `always`;
   * notAllowed, where it is of one of `spared`; unavailable, also without Redis: then it is not removed.
   */
  removeChat: action({
    roomId: id,
    msgId: chatMsgId,
    spared: z.array(userId).max(limits.room.moderators + 1),
    always: z.boolean(),
  }).returns<null>(),
  /**
   * Takes all chat of a user out of the histories of rooms, as `removeChat`, without telling anybody: what viewers have
   * seen is on their screens. Returns how many messages. Fails: unavailable, also without Redis; it may be repeated.
   */
  eraseChat: action({ userId, roomIds: z.array(id).max(limits.erasure.roomsPerCall) }).returns<{ erased: number }>(),
  /** Where a user is connected, as of the last lease: for operators. */
  whereIs: action({ userId }).returns<{ nodeId: string; roomId: number; since: string }[]>(),
  /**
   * The users in rooms now. `members` counts those of live im-servers. `anchor` is true where the anchor is connected
   * to this room. `known` is false where Redis or all im-servers are away, or were within the last seconds: then
   * absence proves nothing. Each such outage starts a new `epoch`. With `certain`, every im-server is asked for an
   * anchor who is not in Redis; `anchor` is `null` where one of them does not answer. Fails: unavailable, while this
   * router starts.
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
   * For each of the users, in their order, the public address of a live im-server and a token for one connection; a
   * user who is named twice gets two. Connections are spread evenly. A token lives for `limits.im.tokenTtlMs` and works
   * once, on any node. The router makes it, since after the death of an im-server all its users ask at once, while the
   * remaining im-servers are busy with their connections. Fails: unavailable.
   */
  tickets: action({ userIds: z.array(userId).min(1).max(limits.im.ticketsPerCall) }).returns<{
    tickets: Ticket[];
  }>(),
};
