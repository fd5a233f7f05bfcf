import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { writingForFeed } from "./feed-writes.ts";
import {
  databaseNow,
  inForceOf,
  insertChange,
  insertLift,
  insertRestriction,
  mutesInForceIn,
  type NewRestriction,
  restrictionById,
  restrictionOfWrite,
} from "./restriction-store.ts";
import type { Restriction, RestrictionFact } from "./restrictions.contract.ts";
import { profileOf } from "./user-store.ts";

/**
 * The states of a restriction, by the database's time and rows alone:
 *
 *   in force  -> over    its `until` has come
 *   in force  -> lifted  a row of t_restriction_lift, at most one, for ever
 *
 * Its rows are never changed: each move but the end by time is a row, with an event and a row for the nodes' copies in the
 * same transaction. A user is muted or banned while at least one restriction of the kind is in force.
 */
type Store = { mysql: Database } & OutboxState;

/** Where a restriction is to end: at a time, or so long after the database's time. */
type Until = number | null | { readonly minutes: number };

interface Placed extends Omit<NewRestriction, "until"> {
  readonly until: Until;
  readonly requestId: string | null;
  /** Refuses it, in its transaction. */
  readonly check?: (tx: Transaction) => Promise<void>;
}

/** What nodes keep of a restriction; `until` in ms since 1970. */
export const factOf = (shown: Restriction): RestrictionFact => ({
  restrictionId: shown.restrictionId,
  userId: shown.userId,
  kind: shown.kind,
  roomId: shown.roomId,
  until: shown.until === null ? null : Date.parse(shown.until),
  lifted: shown.liftedTime !== null,
});

/** A repeat: the call that wrote it may have ended before it had nodes read what it committed late. */
async function readAgain({ mysql }: Store, known: Restriction): Promise<Restriction> {
  const write = async (tx: Transaction) => {
    await again(tx, known);
    return [known];
  };
  await writingForFeed(mysql, write, again);
  return known;
}

const again = (tx: Transaction, { restrictionId }: Restriction) => insertChange(tx, restrictionId);

/** Places a restriction; durable when it returns. Fails: userUnknown, invalidParam, unavailable, and as `check`. */
export async function place(store: Store, { until, check, requestId, ...placed }: Placed): Promise<Restriction> {
  const [restriction] = await writingForFeed(
    store.mysql,
    async (tx) => {
      if (!(await profileOf(tx, placed.userId))) throw fail("userUnknown", { userId: placed.userId });
      await check?.(tx);
      const now = await databaseNow(tx);
      const wanted = typeof until === "object" && until !== null ? now + until.minutes * 60_000 : until;
      const latest = now + limits.user.roomRestrictionMs;
      const end = placed.roomId === null ? wanted : Math.min(wanted ?? latest, latest);
      if (end !== null && end <= now) throw fail("invalidParam", { field: "until" });
      const restrictionId = await insertRestriction(tx, { ...placed, until: end });
      await insertChange(tx, restrictionId);
      const written = (await restrictionById(tx, restrictionId)) as Restriction;
      const { userId, kind, roomId, reason, by, createTime: time } = written;
      const data = { restrictionId, userId, kind, roomId, until: written.until, reason, by, time };
      const event = durableEvent("user.restricted", restrictionId, data);
      await store.outbox.add(tx, { ...event, orderKey: userId, requestId });
      return [written];
    },
    again,
  );
  store.outbox.wake();
  return restriction as Restriction;
}

/** The same; a repeat with the same `writeId` is the same restriction. Fails too: idempotencyConflict. */
export async function placeOnce(store: Store, placed: Placed): Promise<Restriction> {
  const { writeId } = placed;
  if (writeId === null) return place(store, placed);
  const first = await restrictionOfWrite(store.mysql, writeId);
  if (first) return sameWrite(store, first, placed);
  try {
    return await place(store, placed);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return sameWrite(store, seen(await restrictionOfWrite(store.mysql, writeId)), placed);
  }
}

/** A row that another call has committed: a node of a database cluster may show it a little later. Fails: unavailable. */
function seen(restriction: Restriction | undefined): Restriction {
  if (!restriction) throw fail("unavailable", { what: "a restriction that another call has written" });
  return restriction;
}

function sameWrite(store: Store, first: Restriction, { userId, kind, roomId, until, reason, by }: Placed) {
  const untilMs = first.until === null ? null : Date.parse(first.until);
  // In a room it may end earlier than was asked for.
  const isCut = roomId !== null && (until === null || (typeof until === "number" && until > (untilMs ?? until)));
  const isSame = first.userId === userId && first.kind === kind && first.roomId === roomId;
  if (!isSame || !(untilMs === until || isCut) || first.reason !== reason || first.by !== by)
    throw fail("idempotencyConflict", { restrictionId: first.restrictionId });
  return readAgain(store, first);
}

/** Fails: muted, banned. */
export async function requireFree(db: Parameters<typeof inForceOf>[0], userId: string, roomId: number): Promise<void> {
  const found = await inForceOf(db, [userId], roomId);
  if (found.length > 0) throw fail(found.some(({ kind }) => kind === "ban") ? "banned" : "muted", { userId, roomId });
}

/** See `user.muteInRoom`. */
export function muteInRoom(
  store: Store,
  mute: { userId: string; roomId: number; minutes: number; reason: string; by: string; requestId: string | null },
): Promise<Restriction> {
  const { minutes, ...placed } = mute;
  return place(store, {
    ...placed,
    writeId: null,
    kind: "mute",
    until: { minutes },
    async check(tx) {
      await requireFree(tx, mute.by, mute.roomId);
      // Calls at the same time may exceed it by a few: it bounds memory, and decides nothing.
      if ((await mutesInForceIn(tx, mute.roomId)) >= limits.user.roomMutesInForce)
        throw fail("restrictionLimit", { roomId: mute.roomId });
    },
  });
}

interface Lift {
  readonly restrictionId: string;
  readonly reason: string;
  readonly by: string;
}

/** Lifts restrictions in one transaction; those that somebody else has lifted are left as they are. */
async function lift(store: Store, lifts: readonly Lift[], requestId: string | null): Promise<Restriction[]> {
  const lifted = await writingForFeed(
    store.mysql,
    async (tx) => {
      const done: Restriction[] = [];
      for (const one of lifts) {
        await insertLift(tx, one);
        await insertChange(tx, one.restrictionId);
        const written = (await restrictionById(tx, one.restrictionId)) as Restriction;
        const { restrictionId, userId, kind, roomId } = written;
        const about = { restrictionId, userId, kind, roomId, reason: one.reason, by: one.by };
        const data = { ...about, time: written.liftedTime as string };
        const event = durableEvent("user.unrestricted", restrictionId, data);
        await store.outbox.add(tx, { ...event, orderKey: userId, requestId });
        done.push(written);
      }
      return done;
    },
    again,
  );
  store.outbox.wake();
  return lifted;
}

/** See `user.liftRestriction`. */
export async function liftById(store: Store, one: Lift, requestId: string | null): Promise<Restriction> {
  const known = await restrictionById(store.mysql, one.restrictionId);
  if (!known) throw fail("restrictionUnknown", { restrictionId: one.restrictionId });
  if (known.liftedTime !== null) return readAgain(store, known);
  try {
    return (await lift(store, [one], requestId))[0] as Restriction;
  } catch (error) {
    // Another call was first.
    if (!isDuplicateKey(error)) throw error;
    return readAgain(store, seen(await restrictionById(store.mysql, one.restrictionId)));
  }
}

/** See `user.unmuteInRoom`. */
export async function unmuteInRoom(
  store: Store,
  about: { userId: string; roomId: number; by: string; but?: string | undefined; requestId: string | null },
): Promise<Restriction[]> {
  const { userId, roomId, by, but, requestId } = about;
  await requireFree(store.mysql, by, roomId);
  for (;;) {
    const found = await inForceOf(store.mysql, [userId], roomId);
    const own = found.filter((one) => one.roomId === roomId && one.kind === "mute" && isOfRoom(one.by));
    const lifts = own.filter((one) => one.by !== but).map(({ restrictionId }) => ({ restrictionId, reason: "", by }));
    if (lifts.length === 0) return [];
    try {
      return await lift(store, lifts, requestId);
    } catch (error) {
      // Another call lifted one of them, and it is not found again.
      if (!isDuplicateKey(error)) throw error;
    }
  }
}

/** Whether it was placed by a user: the anchor, or a moderator. */
const isOfRoom = (by: string) => /^\d+$/.test(by);

/** The users among these who are banned everywhere. */
export async function bannedAmong(db: Database, userIds: readonly string[]): Promise<string[]> {
  const found = await inForceOf(db, userIds);
  return [...new Set(found.filter(({ kind }) => kind === "ban").map(({ userId }) => userId))];
}
