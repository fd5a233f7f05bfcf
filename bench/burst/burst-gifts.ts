import { orderIdOf } from "../../services/gift-order-id.ts";
import { anchorId, senderId } from "../support/seed.ts";

/** A gift of the burst, as its sender asks for it. */
export interface BurstGift {
  giftId: number;
  roomId: number;
  receiverId: string;
  type: number;
  count: number;
  requestId: string;
}

const giftId = 22;
/** Counts differ, so that a sum of counts says more than a number of gifts. */
const counts = 3;

/** The ids of the rooms are the numbers from 1 on. */
export const roomIdOf = (room: number): number => room + 1;

/** The gift of user n. Users take the rooms in turn, and send one gift each to the room's anchor. */
export function giftOf(n: number, rooms: number): BurstGift {
  const room = n % rooms;
  return {
    giftId,
    roomId: roomIdOf(room),
    receiverId: anchorId(room),
    type: 0,
    count: 1 + (Math.floor(n / rooms) % counts),
    requestId: `burst-${String(n).padStart(10, "0")}`,
  };
}

/** The order id of user n's gift: each answer and record must have it. */
export function orderOf(n: number, { requestId }: Pick<BurstGift, "requestId">): string {
  return orderIdOf(senderId(n), requestId);
}

/** The whole request of gift/send as text of ASCII. */
export function requestOf(gift: BurstGift, { port, token }: { port: number; token: string }): string {
  const body = JSON.stringify(gift);
  return (
    `POST /live/api/gift/send HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}
