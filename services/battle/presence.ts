import { limits } from "../../config/limits.ts";
import type { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import { call, type ResultOf } from "../contracts.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import type { Battle, Side } from "./battle-state.ts";
import { forgetAbsences, markAway, markGone, markHere, type Place } from "./side-store.ts";

type Known = Extract<ResultOf<"im-router.attendance">, { known: true }>;
/** `host`: the room is hers. */
type Asked = Place & Side & { readonly host: boolean };

/**
 * Who of the sides of running battles is away. Absence counts only while presence is known, without gaps, as for rooms
 * (docs/decisions/0043-absence-counts-while-it-is-seen.md). An anchor who was never connected is not away; a guest has
 * to be in the room. A side whose room is closed or whose account is unusable is gone: it cannot come back.
 */
export class Presence {
  private readonly service: BattleService;
  private readonly lease: DatabaseLease;
  /** The epoch of presence in which absences are counted; `undefined`: they count from zero. */
  private epoch: string | undefined;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private triedAt = Number.NEGATIVE_INFINITY;
  private restarts = 0;

  constructor(service: BattleService, lease: DatabaseLease) {
    this.service = service;
    this.lease = lease;
  }

  /** Another node has counted meanwhile, or may have. */
  restart(): void {
    this.restarts++;
    this.epoch = undefined;
    this.checkedAt = Number.NEGATIVE_INFINITY;
    this.triedAt = Number.NEGATIVE_INFINITY;
  }

  /** Asks for all running battles, at most once in `attendanceEveryMs`. Fails: unavailable. */
  async check(running: readonly Battle[]): Promise<void> {
    const { attendanceEveryMs, attendanceGapMs } = settingsOf(this.service);
    const now = performance.now();
    if (now - this.triedAt < attendanceEveryMs) return;
    this.triedAt = now;
    const { restarts } = this;
    const sides = running.flatMap(({ id, kind, sides: both }) =>
      both.map((one, side): Asked => ({ battleId: id, side, host: kind === "rooms" || side === 0, ...one })),
    );
    const there = sides.filter(({ gone }) => !gone);
    if (now - this.checkedAt > attendanceGapMs) await this.reset(there);
    await this.checkRooms(there);
    // A room is asked about once in a call, so guests are asked about apart from their anchors.
    await this.checkSides(there.filter(({ host }) => host));
    await this.checkSides(there.filter(({ host }) => !host));
    if (restarts === this.restarts) this.checkedAt = now;
  }

  /** Rooms that are closed although their event was lost, and guests whose accounts are unusable. */
  private async checkRooms(sides: readonly Asked[]): Promise<void> {
    const { broker, mysql } = this.service;
    const size = Math.min(limits.room.anchorsPerCall, limits.wallet.accountsPerCall);
    const options = { timeout: limits.attendance.answerTimeoutMs };
    for (let from = 0; from < sides.length; from += size) {
      const some = sides.slice(from, from + size);
      const [{ list }, { userIds }] = await Promise.all([
        call(broker, "living-room.anchorsOf", { roomIds: [...new Set(some.map(({ roomId }) => roomId))] }, options),
        // Those whose account cannot be read now are looked at again with the next check.
        call(
          broker,
          "wallet.unusableOf",
          { userIds: [...new Set(some.map(({ userId }) => userId))], apart: true },
          options,
        ),
      ]);
      const live = new Set(list.map(({ roomId }) => roomId));
      const unusable = new Set(userIds);
      await markGone(
        mysql,
        some.filter(({ host, roomId, userId }) => (host && !live.has(roomId)) || unusable.has(userId)),
      );
    }
  }

  private async checkSides(sides: readonly Asked[]): Promise<void> {
    for (let from = 0; from < sides.length; from += limits.attendance.roomsPerCall) {
      const some = sides.slice(from, from + limits.attendance.roomsPerCall);
      const answer = await this.ask(some, false);
      if (!answer || answer.epoch !== this.epoch) {
        await this.reset(sides);
        this.epoch = answer?.epoch;
        if (!answer) return;
      }
      const found = new Map(answer.rooms.map(({ roomId, anchor }) => [roomId, anchor]));
      await this.lease.fenced(async (tx) => {
        await markHere(
          tx,
          some.filter(({ roomId, seen, awayMs }) => found.get(roomId) === true && (!seen || awayMs !== null)),
        );
        await markAway(
          tx,
          some.filter(({ roomId, seen, host }) => found.get(roomId) === false && (seen || !host)),
        );
      });
    }
  }

  /** `undefined` where presence is not known, or was not asked for too long: then absences count from zero. */
  private async ask(sides: readonly Side[], certain: boolean): Promise<Known | undefined> {
    const { attendanceGapMs } = settingsOf(this.service);
    if (certain && performance.now() - this.checkedAt > attendanceGapMs) return undefined;
    const rooms = sides.map(({ roomId, userId }) => ({ roomId, anchorId: userId }));
    const options = { timeout: limits.attendance.answerTimeoutMs };
    const answer = await call(this.service.broker, "im-router.attendance", { rooms, certain }, options);
    return answer.known ? answer : undefined;
  }

  private async reset(sides: readonly Place[]): Promise<void> {
    await this.lease.fenced((tx) => forgetAbsences(tx, sides));
  }

  /**
   * Of the sides that have been away for too long, those that are certainly away now: who is gone, and whom every
   * im-server says not to have. One whose answer is missing does not hold up the other.
   */
  async desertedSides({ id, sides }: Battle): Promise<number[]> {
    const { awayMs } = settingsOf(this.service);
    const late = ([0, 1] as const).filter((side) => (sides[side].awayMs ?? Number.NEGATIVE_INFINITY) >= awayMs);
    const deserted: number[] = late.filter((side) => sides[side].gone);
    for (const side of late) {
      if (sides[side].gone) continue;
      const answer = await this.ask([sides[side]], true).catch((error: unknown) => {
        if (deserted.length === 0) throw error;
        this.service.logger.warn({ battleId: id, side, err: error }, "a battle ends without asking who else is away");
        return undefined;
      });
      const place = [{ battleId: id, side }];
      if (!answer || answer.epoch !== this.epoch) await this.reset(place);
      else if (answer.rooms[0]?.anchor === true) await this.lease.fenced((tx) => markHere(tx, place));
      else if (answer.rooms[0]?.anchor === false) deserted.push(side);
    }
    return deserted;
  }
}
