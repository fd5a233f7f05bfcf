import type { RestrictionFact, RestrictionKind } from "./user/restrictions.contract.ts";

interface Held {
  readonly restrictionId: string;
  readonly kind: RestrictionKind;
  readonly roomId: number | null;
  readonly until: number | null;
  /** The number of the read of everything during which it was last seen. */
  seenIn: number;
}

const none: readonly Held[] = [];

/** What is in force of a kind: `until` ms since 1970, `null` for ever. */
export interface InForce {
  readonly until: number | null;
}

/** Called with each ban that becomes known; `roomId` null: everywhere. */
type OnBan = (userId: string, roomId: number | null) => void;

/**
 * The mutes and bans that are in force, in memory, by user. Facts may come in any order and many times. Whether one is
 * in force follows from the time of the database, which each page of the feed brings, not from this node's clock. One
 * takes about 360 bytes (decision 0077).
 */
export class RestrictionCopy {
  private readonly users = new Map<string, Held[]>();
  private reads = 0;
  /** The database's time minus `performance.now()`. */
  private aheadMs = Date.now() - performance.now();
  private held = 0;
  onBan: OnBan = () => {};

  /** The database's time now, ms since 1970, as a page has said. */
  setClock(databaseMs: number): void {
    this.aheadMs = databaseMs - performance.now();
  }

  /** The restrictions that are held, of which some may be over. */
  get size(): number {
    return this.held;
  }

  apply({ restrictionId, userId, kind, roomId, until, lifted }: RestrictionFact): void {
    const others = (this.users.get(userId) ?? []).filter((one) => one.restrictionId !== restrictionId);
    const isOver = lifted || !this.isInForce(until);
    const isNew = (this.users.get(userId)?.length ?? 0) === others.length;
    this.keep(userId, isOver ? others : [...others, { restrictionId, kind, roomId, until, seenIn: this.reads }]);
    if (isNew && !isOver && kind === "ban") this.onBan(userId, roomId);
  }

  /** A read of everything begins: what is not applied until `endAll` is not in force any more. */
  beginAll(): void {
    this.reads++;
  }

  endAll(): void {
    for (const [userId, all] of this.users) this.keepOnly(userId, all, ({ seenIn }) => seenIn >= this.reads);
  }

  /** Drops those that were over at this time, ms since 1970. */
  dropExpired(nowMs: number): void {
    for (const [userId, all] of this.users) this.keepOnly(userId, all, ({ until }) => until === null || until > nowMs);
  }

  /** Whether the user is banned everywhere or, with a room, in it. */
  isBanned(userId: string, roomId?: number): boolean {
    return this.inForce(userId, "ban", roomId) !== undefined;
  }

  /** The mute of a user in a room, or everywhere, that ends last; `undefined` where there is none. */
  muteOf(userId: string, roomId: number): InForce | undefined {
    return this.inForce(userId, "mute", roomId);
  }

  private inForce(userId: string, kind: RestrictionKind, roomId: number | undefined): InForce | undefined {
    let last = 0;
    for (const { kind: its, roomId: place, until } of this.users.get(userId) ?? none) {
      if (its !== kind || (place !== null && place !== roomId) || !this.isInForce(until)) continue;
      if (until === null) return { until };
      last = Math.max(last, until);
    }
    return last > 0 ? { until: last } : undefined;
  }

  private isInForce(until: number | null): boolean {
    return until === null || until > performance.now() + this.aheadMs;
  }

  private keepOnly(userId: string, all: readonly Held[], isKept: (one: Held) => boolean): void {
    if (!all.every(isKept)) this.keep(userId, all.filter(isKept));
  }

  private keep(userId: string, kept: Held[]): void {
    this.held += kept.length - (this.users.get(userId)?.length ?? 0);
    if (kept.length > 0) this.users.set(userId, kept);
    else this.users.delete(userId);
  }
}
