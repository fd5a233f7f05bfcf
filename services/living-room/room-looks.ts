import type { Service, ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { broadcast, call, type ResultOf } from "../contracts.ts";
import { changesOf, type LookedRoom } from "./attendance.ts";
import { closeDesertedRoom } from "./broadcasting.ts";
import {
  correctWatchNumbers,
  desertedRooms,
  forgetAway,
  lastLook,
  markAnchorsGone,
  markAnchorsHere,
  noteLook,
  roomsAfter,
} from "./room-store.ts";

/** Settings that tests override; the defaults are in config/. */
export interface LookSettings {
  /** After how long the room of an anchor who is away is closed; 0: never. */
  anchorAwayMs: number;
  lookEveryMs: number;
  lookLeaseMs: number;
  lookGapMs: number;
  accountsEveryMs: number;
}

interface Parts extends OutboxState {
  mysql: Database;
  broker: ServiceBroker;
  log: Service["logger"];
  settings: LookSettings;
  /** Closes the rooms of those of these anchors whose accounts are unusable. */
  closeUnusable: (anchorIds: readonly string[]) => Promise<void>;
}

type Known = Extract<ResultOf<"im-router.attendance">, { known: true }>;

const lease = "rooms-look";

/** Presence is unknown, or was for a time: the absence that was counted so far is discarded. */
class AbsenceUnknown extends Error {}

/**
 * Checks all live rooms periodically, on one node at a time: corrects watch numbers, and closes rooms whose anchor has
 * been away for `anchorAwayMs`, and those of accounts that are frozen or invalid. All state is in the database and uses
 * its clock: when the node dies, another continues. Absence counts while it is observed without a gap; after a time in
 * which presence was unknown, it counts from zero.
 */
export class RoomLooks {
  private readonly parts: Parts;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private stopping = false;
  private unknownLogged = false;
  private accountsLookedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    const { mysql, broker, settings, log } = parts;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: settings.lookLeaseMs });
    this.loop = new BackgroundLoop({
      name: "room looks",
      round: () => this.round(),
      idleMs: settings.lookEveryMs,
      errorBackoffMs: settings.lookEveryMs,
      log,
    });
  }

  /** Resolves once the running check has ended and the lease is free. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.parts.log.warn({ err: error, lease }, "a lease was not given back: it runs out by itself");
    });
  }

  private async mayWork(): Promise<boolean> {
    return !this.stopping && this.lease.hold();
  }

  private async round(): Promise<boolean> {
    await this.lookAtAccounts();
    try {
      const more = await this.look();
      if (this.unknownLogged) this.parts.log.info("whether anchors are in their rooms can be known again");
      this.unknownLogged = false;
      return more;
    } catch (error) {
      if (!(error instanceof AbsenceUnknown)) throw error;
      if (!this.unknownLogged)
        this.parts.log.warn(`${error.message}: the time that anchors have been away starts anew`);
      this.unknownLogged = true;
      await this.resetAbsence();
      return false;
    }
  }

  /** For an event of a freeze or of an opened room that was lost. Never rejects: the looks at who is there go on. */
  private async lookAtAccounts(): Promise<void> {
    const { mysql, settings, closeUnusable, log } = this.parts;
    if (performance.now() - this.accountsLookedAt < settings.accountsEveryMs) return;
    try {
      const portion = Math.min(limits.look.roomsPerCall, limits.wallet.accountsPerCall);
      for (let after = 0; ; ) {
        if (!(await this.mayWork())) return;
        const rooms = await roomsAfter(mysql, after, portion);
        if (rooms.length > 0) await closeUnusable(rooms.map(({ anchorId }) => anchorId));
        if (rooms.length < portion) break;
        after = rooms.at(-1)?.roomId ?? 0;
      }
    } catch (error) {
      const about = { err: error, againInMs: settings.accountsEveryMs };
      log.warn(about, "not all anchors of live rooms were looked at for frozen accounts");
    }
    this.accountsLookedAt = performance.now();
  }

  private async look(): Promise<boolean> {
    const { mysql, settings } = this.parts;
    if (!(await this.mayWork())) return false;
    const last = await lastLook(mysql);
    if (last.agoMs > settings.lookGapMs) await this.resetAbsence();
    let { epoch } = last;
    let rooms = await roomsAfter(mysql, 0, limits.look.roomsPerCall);
    while (rooms.length > 0) {
      const answer = await this.ask(rooms, false);
      if (answer.epoch !== epoch) await this.resetAbsence();
      epoch = answer.epoch;
      await this.write(rooms, answer);
      rooms = await roomsAfter(mysql, rooms.at(-1)?.roomId ?? 0, limits.look.roomsPerCall);
      if (!(await this.mayWork())) return false;
    }
    await this.lease.fenced((tx) => noteLook(tx, epoch));
    return settings.anchorAwayMs > 0 && this.closeDeserted(epoch);
  }

  /** Throws AbsenceUnknown where Redis or all im-servers are away, or were within the last seconds. */
  private async ask(rooms: readonly LookedRoom[], certain: boolean): Promise<Known> {
    const asked = rooms.map(({ roomId, anchorId }) => ({ roomId, anchorId }));
    const options = { timeout: limits.look.answerTimeoutMs };
    const answer = await call(this.parts.broker, "im-router.attendance", { rooms: asked, certain }, options);
    if (!answer.known) throw new AbsenceUnknown("Redis or all im-servers are away, or were just now");
    return answer;
  }

  private async write(rooms: readonly LookedRoom[], { rooms: attended }: Known): Promise<void> {
    const { numbers, here, gone } = changesOf(rooms, attended);
    const awayCounts = this.parts.settings.anchorAwayMs > 0;
    if (numbers.length + here.length + (awayCounts ? gone.length : 0) === 0) return;
    await this.lease.fenced(async (tx: Transaction) => {
      await correctWatchNumbers(tx, numbers);
      await markAnchorsHere(tx, here);
      if (awayCounts) await markAnchorsGone(tx, gone);
    });
  }

  /** Clears every anchor's `away_since`: her absence counts from the next check that finds her away. */
  private async resetAbsence(): Promise<void> {
    const most = limits.look.marksPerStatement;
    for (let marks: number | undefined = most; marks === most; )
      marks = await this.lease.fenced((tx) => forgetAway(tx, most));
  }

  /** Whether there may be more to close at once. */
  private async closeDeserted(epoch: string): Promise<boolean> {
    const { mysql, settings } = this.parts;
    const due = await desertedRooms(mysql, settings.anchorAwayMs, limits.look.closingsAtOnce);
    if (due.length === 0) return false;
    const answer = await this.ask(due, true);
    if (answer.epoch !== epoch) throw new AbsenceUnknown("Redis or all im-servers were away");
    await this.write(due, answer);
    const deserted = new Set(answer.rooms.flatMap(({ roomId, anchor }) => (anchor === false ? [roomId] : [])));
    let closed = 0;
    for (const { roomId, anchorId } of due) {
      if (!deserted.has(roomId) || !(await this.mayWork())) continue;
      if (await this.close(roomId, anchorId)) closed++;
    }
    return closed > 0 && due.length === limits.look.closingsAtOnce;
  }

  private async close(roomId: number, anchorId: string): Promise<boolean> {
    const { anchorAwayMs } = this.parts.settings;
    const closed = await closeDesertedRoom(this.parts, this.lease, { roomId, anchorAwayMs });
    if (!closed) return false;
    await broadcast(this.parts.broker, "living-room.changed", { roomId });
    this.parts.log.info({ roomId, anchorId, anchorAwayMs }, "room closed: its anchor has been away for too long");
    return true;
  }
}
