import { isShallow } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { userIdPattern } from "../user-id-pattern.ts";

/** What other services may use of the IM router: it finds where a user or a room is connected and sends there. */

/** A gift that succeeded, as the room is to see it. */
export interface RoomGift {
  orderId: string;
  senderId: string;
  receiverId: string;
  giftId: number;
  count: number;
  price: number;
  url: string;
}

export interface ImRouterActions {
  /**
   * A personal notice. `msgId` is stable across repeats (derive it from the business id). When it returns the notice is
   * kept for `limits.jetstream.noticesAgeMs` or until the client acks it, and comes with the next connection too. Says
   * how many connections took it now; 0 where the user is offline. Fails: unavailable; repeat it then.
   */
  sendToUser: {
    params: { userId: string; msgId: string; bizCode: number; data: Record<string, unknown> };
    result: { delivered: number };
  };
  /** The same for many users: one look-up, one call a node. */
  sendToUsers: {
    params: { notices: { userId: string; msgId: string; bizCode: number; data: Record<string, unknown> }[] };
    result: { delivered: number };
  };
  /**
   * One message to everybody in a room, numbered in the room's order. `senderId` is "0" for the system. Fails: unavailable;
   * tooMany, where it is chat (5555) and more than `limits.im.roomChatBytes` of the room's waits: it is not sent then.
   */
  sendToRoom: {
    params: { roomId: number; senderId: string; msgId: string; bizCode: number; data: Record<string, unknown> };
    result: null;
  };
  /**
   * Gifts that succeeded, gathered with others for a room tick and sent as one frame a room. Returns after the frames
   * were handed to the nodes that hold members: then, and only then, may the caller forget the gifts. The rooms of a
   * call are of one router bucket (`routerBucketOf` in services/im-buckets.ts). `pk` sends bizCode 5558 instead of 5556.
   * A call that failed may have been sent: repeat it with the same order ids, by which viewers count. Fails: unavailable.
   */
  roomGifts: {
    params: { bucket: number; rooms: { roomId: number; pk: boolean; gifts: RoomGift[] }[] };
    result: null;
  };
  /**
   * What sendToRoom and closeRoom do on the router of the room's bucket, where it meets the room's gifts. Others call
   * those two. Fails: as sendToRoom.
   */
  post: {
    params: ImRouterActions["sendToRoom"]["params"] & { bucket: number };
    result: null;
  };
  /** Everybody in a room is told (5562) and let go (4410); nobody comes in from now on. */
  closeRoom: { params: { roomId: number }; result: null };
  /**
   * Who is in rooms now. `members` counts those of living im-servers, `anchor` whether the anchor is connected to that very
   * room. Not `known`: Redis or all im-servers are away, or were within the last seconds, so absence proves nothing.
   * Each such outage starts a new `epoch`. With `certain`, an anchor who is not found in Redis is asked for at every
   * im-server; `anchor` is `null` where one of them does not answer. Fails: unavailable, where this router cannot tell yet.
   */
  attendance: {
    params: { rooms: { roomId: number; anchorId: string }[]; certain: boolean };
    result:
      | { known: false }
      | { known: true; epoch: string; rooms: { roomId: number; members: number; anchor: boolean | null }[] };
  };
  /** Where a user is connected, as of the last lease: for operators. */
  whereIs: { params: { userId: string }; result: { nodeId: string; roomId: number; since: string }[] };
  /** A live im-server's public address, spread evenly. Fails: unavailable, where there is none. */
  pickServer: { params: Record<string, never>; result: { address: string } };
  /**
   * The same with a token for one connection of the user (see `im-server.token`). It is made here: when a node has died
   * its whole crowd asks, and the nodes that are left have enough to do with letting it in. Fails: unavailable.
   */
  ticket: { params: { userId: string }; result: { address: string; token: string } };
}

const userId = { type: "string", pattern: userIdPattern } as const;
/** A user, or "0" for the system. */
const senderId = { type: "string", pattern: new RegExp(`^0$|${userIdPattern.source}`) } as const;
const bucket = { type: "number", integer: true, min: 0 } as const;
const roomId = { type: "number", integer: true, positive: true } as const;
const msgId = { type: "string", min: 1, max: 100 } as const;
const bizCode = { type: "number", integer: true } as const;
/** What a frame shows: any fields, but none so deep that the frame cannot be written. */
const data = {
  type: "object",
  custom: (value: unknown, problems: object[]) => {
    if (!isShallow(value, limits.im.dataLevels)) problems.push({ type: "tooDeep", expected: limits.im.dataLevels });
    return value;
  },
} as const;
const positive = { type: "number", integer: true, positive: true } as const;

export const imRouterParams = {
  sendToUser: { userId, msgId, bizCode, data },
  sendToUsers: {
    notices: { type: "array", max: 5_000, items: { type: "object", props: { userId, msgId, bizCode, data } } },
  },
  sendToRoom: { roomId, senderId, msgId, bizCode, data },
  post: { bucket, roomId, senderId, msgId, bizCode, data },
  roomGifts: {
    bucket,
    rooms: {
      type: "array",
      min: 1,
      max: 2_000,
      items: {
        type: "object",
        props: {
          roomId,
          pk: "boolean",
          gifts: {
            type: "array",
            min: 1,
            max: 2_000,
            items: {
              type: "object",
              props: {
                orderId: { type: "string", min: 1, max: 64 },
                senderId: userId,
                receiverId: userId,
                giftId: positive,
                count: positive,
                price: positive,
                url: { type: "string", max: 300 },
              },
            },
          },
        },
      },
    },
  },
  closeRoom: { roomId },
  attendance: {
    rooms: { type: "array", min: 1, max: 1_000, items: { type: "object", props: { roomId, anchorId: userId } } },
    certain: "boolean",
  },
  whereIs: { userId },
  pickServer: {},
  ticket: { userId },
} as const;
