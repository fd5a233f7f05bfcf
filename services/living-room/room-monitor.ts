import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { broadcast, call, type ResultOf } from "../contracts.ts";
import { type CheckedRoom, changesOf } from "./attendance.ts";
import { closeDesertedRoom } from "./broadcasting.ts";
import { lastCheck, noteCheck } from "./check-store.ts";
import {
  clearAway,
  correctWatchNumbers,
  desertedRooms,
  markAnchorsGone,
  markAnchorsHere,
  roomsAfter,
} from "./room-store.ts";
import { purgeWrites } from "./write-store.ts";

/** Settings that tests override; the defaults are in config/. */
export interface MonitorSettings {
  /** After how long the room of an anchor who is away is closed; 0: never. */
  anchorAwayMs: number;
  checkEveryMs: number;
  leaseMs: number;
  gapMs: number;
  accountsEveryMs: number;
}

interface Parts extends OutboxState {
  mysql: Database;
  broker: ServiceBroker;
  log: Log;
  settings: MonitorSettings;
  /** Closes the rooms of those of these anchors whose accounts are unusable, and unlinks guests of them who are banned. */
  closeUnusable: (anchorIds: readonly string[]) => Promise<void>;
}

type Known = Extract<ResultOf<"im-router.attendance">, { known: true }>;

const lease = "room-monitor";

/** Presence is or was unknown: the absence that was counted so far is discarded. */
class AbsenceUnknown extends Error {}

/**
 * Checks all live rooms periodically, on one node at a time. It corrects watch numbers and closes the rooms of anchors
 * who have been absent for `anchorAwayMs` or whose accounts are frozen or invalid, and deletes old writes of the
 * platform. The states of an anchor are in
 * attendance.ts. All state is in the database and uses its clock: when the node dies, another continues. Absence counts
 * only while it is observed without a gap; after a time in which presence was unknown it counts from zero.
 */
export class RoomMonitor {
  private readonly parts: Parts;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private stopping = false;
  private unknownLogged = false;
  private accountsCheckedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
    const { mysql, broker, settings, log } = parts;
    this.lease = new DatabaseLease({ mysql, name: lease, holder: broker.nodeID, ms: settings.leaseMs });
    this.loop = new BackgroundLoop({
      name: "room monitor",
      round: () => this.round(),
      idleMs: settings.checkEveryMs,
      errorBackoffMs: settings.checkEveryMs,
      log,
    });
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.parts.log.warn({ err: error, lease }, "a lease was not freed: it expires by itself");
    });
  }

  private async mayWork(): Promise<boolean> {
    return !this.stopping && this.lease.hold();
  }

  private async round(): Promise<boolean> {
    await this.checkAccounts();
    await this.purge();
    try {
      const more = await this.checkAttendance();
      if (this.unknownLogged)
        this.parts.log.info({}, "presence is known again: the absence of anchors counts from zero");
      this.unknownLogged = false;
      return more;
    } catch (error) {
      if (!(error instanceof AbsenceUnknown)) throw error;
      if (!this.unknownLogged) this.parts.log.warn({}, `${error.message}: the absence of anchors counts from zero`);
      this.unknownLogged = true;
      await this.resetAbsence();
      return false;
    }
  }

  /** Closes rooms of unusable accounts whose event was lost. Never rejects, so the check of attendance follows. */
  private async checkAccounts(): Promise<void> {
    const { mysql, settings, closeUnusable, log } = this.parts;
    if (performance.now() - this.accountsCheckedAt < settings.accountsEveryMs) return;
    try {
      const portion = Math.min(limits.attendance.roomsPerCall, limits.wallet.accountsPerCall);
      for (let after = 0; ; ) {
        if (!(await this.mayWork())) return;
        const rooms = await roomsAfter(mysql, after, portion);
        if (rooms.length > 0) await closeUnusable(rooms.map(({ anchorId }) => anchorId));
        if (rooms.length < portion) break;
        after = rooms.at(-1)?.roomId ?? 0;
      }
    } catch (error) {
      const about = { err: error, retryInMs: settings.accountsEveryMs };
      log.warn(about, "not all anchors of live rooms were checked for frozen accounts");
    }
    this.accountsCheckedAt = performance.now();
  }

  private async purge(): Promise<void> {
    if (await this.mayWork()) await this.lease.fenced(purgeWrites);
  }

  /** Returns whether another round may have rooms to close at once. */
  private async checkAttendance(): Promise<boolean> {
    const { mysql, settings } = this.parts;
    if (!(await this.mayWork())) return false;
    const last = await lastCheck(mysql);
    if (last.agoMs > settings.gapMs) await this.resetAbsence();
    let { epoch } = last;
    let rooms = await roomsAfter(mysql, 0, limits.attendance.roomsPerCall);
    while (rooms.length > 0) {
      const answer = await this.ask(rooms, false);
      if (answer.epoch !== epoch) await this.resetAbsence();
      epoch = answer.epoch;
      await this.write(rooms, answer);
      rooms = await roomsAfter(mysql, rooms.at(-1)?.roomId ?? 0, limits.attendance.roomsPerCall);
      if (!(await this.mayWork())) return false;
    }
    await this.lease.fenced((tx) => noteCheck(tx, epoch));
    return settings.anchorAwayMs > 0 && this.closeDeserted(epoch);
  }

  /** @throws AbsenceUnknown where Redis or all im-servers are away, or were within the last seconds. */
  private async ask(rooms: readonly CheckedRoom[], certain: boolean): Promise<Known> {
    const asked = rooms.map(({ roomId, anchorId }) => ({ roomId, anchorId }));
    const options = { timeout: limits.attendance.answerTimeoutMs };
    const answer = await call(this.parts.broker, "im-router.attendance", { rooms: asked, certain }, options);
    if (!answer.known) throw new AbsenceUnknown("Redis or all im-servers are away, or were just now");
    return answer;
  }

  private async write(rooms: readonly CheckedRoom[], { rooms: attended }: Known): Promise<void> {
    const { numbers, here, gone } = changesOf(rooms, attended);
    const awayCounts = this.parts.settings.anchorAwayMs > 0;
    if (numbers.length + here.length + (awayCounts ? gone.length : 0) === 0) return;
    await this.lease.fenced(async (tx: Transaction) => {
      await correctWatchNumbers(tx, numbers);
      await markAnchorsHere(tx, here);
      if (awayCounts) await markAnchorsGone(tx, gone);
    });
  }

  /** Makes every absent anchor present: her absence counts from the next check that does not find her. */
  private async resetAbsence(): Promise<void> {
    const size = limits.attendance.marksPerStatement;
    for (let reset: number | undefined = size; reset === size; )
      reset = await this.lease.fenced((tx) => clearAway(tx, size));
  }

  /** Asks again about the rooms that are due and closes those. Returns whether there may be more. */
  private async closeDeserted(epoch: string): Promise<boolean> {
    const { mysql, settings } = this.parts;
    const due = await desertedRooms(mysql, settings.anchorAwayMs, limits.attendance.closingsAtOnce);
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
    return closed > 0 && due.length === limits.attendance.closingsAtOnce;
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
