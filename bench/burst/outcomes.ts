import { percentile, sortedNumbers } from "../support/percentiles.ts";
import { giftOf } from "./burst-gifts.ts";

/** The outcome of a gift, as one byte. `unknown`: it may have been accepted. */
export const outcome = Object.freeze({ unsent: 0, accepted: 1, refused: 2, unknown: 3 });

/** What a process of the generator reports of its part of the burst. */
export interface PartOfBurst {
  /** The number of its first user. */
  from: number;
  /** The outcome of each of its users' gifts. */
  outcomes: Uint8Array;
  /** From request to answer, ms; 0 without an answer. */
  millis: Float64Array;
  /** Failed answers by their status, code and text. */
  refused: Record<string, number>;
  /** Of the first request and of the last answer, Unix ms. */
  firstAt: number;
  lastAt: number;
}

/** The burst as all processes of the generator saw it. */
export interface Burst {
  accepted: number;
  refused: number;
  /** May have been accepted. */
  unknown: number;
  refusedBy: Record<string, number>;
  firstAt: number;
  lastAt: number;
  p50Ms: number;
  p99Ms: number;
}

export function wholeBurst(parts: readonly PartOfBurst[]): Burst {
  let accepted = 0;
  let unknown = 0;
  let refused = 0;
  const answered: number[] = [];
  const refusedBy: Record<string, number> = {};
  for (const { outcomes, millis, refused: reasons } of parts) {
    for (const [i, what] of outcomes.entries()) {
      if (what === outcome.accepted) accepted++;
      else if (what === outcome.unknown) unknown++;
      else refused++;
      if (millis[i]) answered.push(millis[i] as number);
    }
    for (const [reason, times] of Object.entries(reasons)) refusedBy[reason] = (refusedBy[reason] ?? 0) + times;
  }
  const sorted = sortedNumbers(answered);
  return {
    accepted,
    refused,
    unknown,
    refusedBy,
    firstAt: Math.min(...parts.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...parts.map(({ lastAt }) => lastAt)),
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

/** Gifts of one room, and the sum of their counts. */
export interface Gifts {
  gifts: number;
  pieces: number;
}

/** What a viewer of a room must have seen, and what more she may have seen. */
export interface Expected {
  accepted: Gifts;
  unknown: Gifts;
}

const none = (): Gifts => ({ gifts: 0, pieces: 0 });

/** The gifts of each room by its id. */
export function giftsByRoom(parts: readonly PartOfBurst[], rooms: number): Map<number, Expected> {
  const byRoom = new Map<number, Expected>();
  for (const { from, outcomes } of parts)
    for (const [i, what] of outcomes.entries()) {
      const { roomId, count } = giftOf(from + i, rooms);
      const room = byRoom.get(roomId) ?? { accepted: none(), unknown: none() };
      byRoom.set(roomId, room);
      const sum = what === outcome.accepted ? room.accepted : what === outcome.unknown ? room.unknown : undefined;
      if (!sum) continue;
      sum.gifts++;
      sum.pieces += count;
    }
  return byRoom;
}
