import type { RoomGift } from "../../services/im-router/im-router.contract.ts";

/** The load: which rooms get how many gifts, how fast. */
export interface Offer {
  /** Rooms get gifts in turn. */
  rooms: readonly number[];
  /** In all rooms together. */
  perSecond: number;
  /** The longest time. */
  seconds: number;
  /** Users who send them. */
  senders: number;
  /** Whether it may end early. */
  enough?: () => boolean;
}

export interface RoomGifts {
  roomId: number;
  gifts: RoomGift[];
}

/** Sends gifts to their rooms. Rejects where they may be lost. */
export type SendGifts = (rooms: RoomGifts[]) => Promise<void>;

export interface Offered {
  gifts: number;
  /** The expected sum over distinct orders of a viewer, by room. */
  sums: ReadonlyMap<number, number>;
  /** Gifts that were refused. */
  refused: number;
  /** From the first gift to the due time of the last. */
  seconds: number;
}

const giftKinds = 5;
/** The clock is read every so many ms; gifts that are due then are sent together. */
const stepMs = 5;
const orderHead = "aaaaaaaa-bbbb-4ccc-8ddd-";
/** Of the order's 48 random bits: those of its number, and of the time in ms (a day and a half). */
const [numberBits, timeBits, bits] = [21n, 27n, 48n];
const timeSpan = 2 ** Number(timeBits);
/** Multiplying by an odd number is reversible in these bits, and makes them look random: they do not compress. */
const odd = 0x9e37_79b9_7f4bn;
const inverse = inverseOf(odd);

function inverseOf(factor: bigint): bigint {
  let found = 1n;
  // Each step of Newton's method doubles the number of right bits.
  for (let right = 1n; right < bits; right *= 2n) found = BigInt.asUintN(Number(bits), found * (2n - factor * found));
  return found;
}

/**
 * The id of the n-th order, sent at a time in ms. It is as long as a real one, and has both in its tag, which alone is
 * in frames of version 2.
 */
export function orderIdAt(nowMs: number, n: number): string {
  const number = BigInt(n % 2 ** Number(numberBits));
  const value = (BigInt(nowMs % timeSpan) << numberBits) | number;
  const tag = BigInt.asUintN(Number(bits), value * odd);
  return orderHead + tag.toString(16).padStart(12, "0");
}

/** The n-th gift of a benchmark, with ids like real ones. */
export function madeGift(n: number, senders: number, nowMs: number): RoomGift {
  return {
    orderId: orderIdAt(nowMs, n),
    senderId: String(383_138_000_000_000_000n + BigInt(n % senders) * 7_919_003_207_411n),
    receiverId: "1",
    giftId: 1 + (n % giftKinds),
    count: 1 + (n % 3),
    price: 10,
    url: "../svga/gift.svga",
  };
}

/** When the order of an id or tag was sent, ms: the last such time before `nowMs`. */
export function sentAt(orderId: string, nowMs = Date.now()): number {
  const value = BigInt.asUintN(Number(bits), BigInt(`0x${orderId.slice(-12)}`) * inverse);
  const ago = (nowMs % timeSpan) - Number(value >> numberBits);
  return nowMs - (ago < 0 ? ago + timeSpan : ago);
}

let made = 0;

/**
 * Sends gifts at a steady rate, each when it is due, whether or not earlier ones are done (open loop). Resolves once all
 * are sent or refused. Several offers of one process never share an order id.
 */
export async function offer(send: SendGifts, about: Offer): Promise<Offered> {
  const { rooms, perSecond, seconds, senders, enough = () => false } = about;
  const gifts = Math.round(perSecond * seconds);
  const sums = new Map(rooms.map((roomId) => [roomId, 0]));
  const calls: Promise<unknown>[] = [];
  let refused = 0;
  const startedAt = performance.now();
  let done = 0;
  while (done < gifts && !enough()) {
    const due = Math.min(gifts, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) + 1);
    const batch = new Map<number, RoomGift[]>();
    const size = due - done;
    for (; done < due; done++) {
      const roomId = rooms[done % rooms.length] as number;
      const gift = madeGift(made++, senders, Date.now());
      sums.set(roomId, (sums.get(roomId) as number) + gift.count);
      const others = batch.get(roomId);
      if (others) others.push(gift);
      else batch.set(roomId, [gift]);
    }
    const onRefusal = () => {
      refused += size;
    };
    if (batch.size > 0) calls.push(send([...batch].map(([roomId, gifts]) => ({ roomId, gifts }))).catch(onRefusal));
    const nextAt = startedAt + (done * 1_000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(stepMs, nextAt - performance.now())));
  }
  const took = (performance.now() - startedAt) / 1_000;
  await Promise.all(calls);
  return { gifts: done, sums, refused, seconds: took };
}
