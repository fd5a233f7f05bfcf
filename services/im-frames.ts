/** The frames of the IM protocol, written by im-server and im-router. Pure. */

export const frameCodes = Object.freeze({ login: 1001, logout: 1002, business: 1003, heartbeat: 1004, ack: 1005 });
export const bizCodes = Object.freeze({
  chat: 5555,
  gift: 5556,
  giftFailed: 5557,
  battleScores: 5558,
  battleState: 5559,
  redPacket: 5560,
  payment: 5561,
  roomClosed: 5562,
  chatRemoved: 5564,
});
export const frameMagic = 18_673;
export const imAppId = 10_001;

/**
 * The reasons of closing a socket. 4400 to 4499: do not reconnect with the same token; 4500 to 4599: reconnect, with
 * `since` and `epoch` where frames were received.
 */
export const closeCodes = Object.freeze({
  badToken: 4401,
  /** The page's origin is not in `IM_ALLOWED_ORIGINS`. */
  foreignOrigin: 4403,
  roomNotLive: 4404,
  replaced: 4409,
  roomClosed: 4410,
  /** The user is banned, everywhere or in the room. */
  banned: 4414,
  protocolFault: 4422,
  tooManyMessages: 4429,
  /** Also where this node is full or a dependency is away: a later try may succeed. */
  draining: 4503,
  /** No heartbeat, or no answer to a ping, for too long. */
  heartbeatTimeout: 4504,
  tooSlow: 4508,
});

/** The body of a business frame (1003), without the app id. */
export interface BusinessMessage {
  /** The same in every redelivery. */
  msgId: string;
  /** In a room: the sender, "0" for the system. In a notification: the receiver. */
  userId: string;
  bizCode: number;
  data: Record<string, unknown>;
}

/** A business frame without a room's number: a notification to one user. */
export function businessFrame({ msgId, userId, bizCode, data }: BusinessMessage): string {
  return JSON.stringify({ code: frameCodes.business, body: { msgId, appId: imAppId, userId, bizCode, data } });
}

/** A frame for a room, serialized without its number, which is inserted between `head` and `tail`. */
export interface UnnumberedFrame {
  roomId: number;
  head: string;
  tail: string;
  /** It replaces the room's last such frame: the history keeps the newest one alone. */
  replaces?: true;
  /** The traces of what it shows; they are no part of what members get. */
  traces?: readonly string[];
}

/** `roomId`, `seq` and `epoch` in `data` are set for the room, and replace those of the caller. */
export function unnumberedFrame(roomId: number, { msgId, userId, bizCode, data }: BusinessMessage): UnnumberedFrame {
  const { roomId: _room, seq: _seq, epoch: _epoch, ...own } = data;
  const body = JSON.stringify({ msgId, appId: imAppId, userId, bizCode });
  const fields = JSON.stringify(own);
  return {
    roomId,
    head: `{"code":${frameCodes.business},"body":${body.slice(0, -1)},"data":{"roomId":${roomId},`,
    tail: fields === "{}" ? "}}}" : `,${fields.slice(1)}}}`,
  };
}

/** Bytes of the frame without its number. */
export function frameBytes({ head, tail }: UnnumberedFrame): number {
  return Buffer.byteLength(head) + Buffer.byteLength(tail);
}

/**
 * The frame with its number. The numbering script (services/im-router/room-numbers.ts) builds exactly the same text.
 */
export function numberedFrame({ head, tail }: UnnumberedFrame, seq: number, epoch: string): string {
  return `${head}"seq":${seq},"epoch":"${epoch}"${tail}`;
}

/** A streak of gifts, and the pieces in it so far. */
export interface ShownCombo {
  id: string;
  count: number;
}

/** The combo of two gifts that are shown as one, the second of which came later: the highest of a streak. */
export function highestCombo<C extends ShownCombo>(first: C | undefined, later: C | undefined): C | undefined {
  if (!first || !later) return first ?? later;
  return first.id === later.id && first.count > later.count ? first : later;
}

const bizCodeKey = '"bizCode":';

/** Whether a room's frame is the state of a battle. Only its head is read: in its texts the key's quotes are escaped. */
export function isBattleState(frame: string): boolean {
  return frame.startsWith(`${bizCodes.battleState},`, frame.indexOf(bizCodeKey) + bizCodeKey.length);
}

const unkept = "x";

/** The name of an epoch that a router numbers itself while Redis is away: its frames are in no history. */
export function unkeptEpoch(random: string): string {
  return unkept + random;
}

/** Epochs in Redis are hexadecimal, so they never begin like an unkept one. */
export function isUnkept(epoch: string): boolean {
  return epoch.startsWith(unkept);
}
