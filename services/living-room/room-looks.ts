import type { Service, ServiceBroker } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/lease/database-lease.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
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

/** What a node may be told to do otherwise, for tests; the defaults are in config/. */
export interface LookSettings {
  /** After how long the room of an anchor who is away is closed; 0: never. */
  anchorAwayMs: number;
  lookEveryMs: number;
  lookLeaseMs: number;
  lookGapMs: number;
}

interface Parts extends OutboxState {
  mysql: Database;
  broker: ServiceBroker;
  log: Service["logger"];
  settings: LookSettings;
}

type Known = Extract<ResultOf<"im-router.attendance">, { known: true }>;

const lease = "rooms-look";

/** The anchors' absence cannot be known, or was not for a time: what was counted of it is not counted. */
class AbsenceUnknown extends Error {}

/**
 * Looks over all live rooms, again and again, on one node at a time: writes how many watch where the table says otherwise,
 * and closes rooms whose anchor has been away for `anchorAwayMs`. What counts is in the database and goes by its clock:
 * whichever node dies, another goes on where it was. Absence counts for as long as it is seen without a break; after a
 * time in which nobody could tell, it counts anew.
 */
export class RoomLooks {
  private readonly parts: Parts;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;
  private stopping = false;
  private unknownSaid = false;

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

  /** Resolves once the running look has ended and the lease is another's to take. */
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
    try {
      const more = await this.look();
      if (this.unknownSaid) this.parts.log.info("whether anchors are in their rooms can be known again");
      this.unknownSaid = false;
      return more;
    } catch (error) {
      if (!(error instanceof AbsenceUnknown)) throw error;
      if (!this.unknownSaid) this.parts.log.warn(`${error.message}: the time that anchors have been away starts anew`);
      this.unknownSaid = true;
      await this.startAnew();
      return false;
    }
  }

  private async look(): Promise<boolean> {
    const { mysql, settings } = this.parts;
    if (!(await this.mayWork())) return false;
    const last = await lastLook(mysql);
    if (last.agoMs > settings.lookGapMs) await this.startAnew();
    let { epoch } = last;
    let rooms = await roomsAfter(mysql, 0, limits.look.roomsPerCall);
    while (rooms.length > 0) {
      const answer = await this.ask(rooms, false);
      if (answer.epoch !== epoch) await this.startAnew();
      epoch = answer.epoch;
      await this.write(rooms, answer);
      rooms = await roomsAfter(mysql, rooms.at(-1)?.roomId ?? 0, limits.look.roomsPerCall);
      if (!(await this.mayWork())) return false;
    }
    await this.lease.fenced((tx) => noteLook(tx, epoch));
    return settings.anchorAwayMs > 0 && this.closeDeserted(epoch);
  }

  /** Throws AbsenceUnknown where Redis or all im-servers are away or were a moment ago. */
  private async ask(rooms: readonly LookedRoom[], certain: boolean): Promise<Known> {
    const asked = rooms.map(({ roomId, anchorId }) => ({ roomId, anchorId }));
    const options = { timeout: limits.look.answerTimeoutMs };
    const answer = await call(this.parts.broker, "im-router.attendance", { rooms: asked, certain }, options);
    if (!answer.known) throw new AbsenceUnknown("Redis or all im-servers are away, or were a moment ago");
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

  /** Nobody counts as away any more, until she is found to be away again. */
  private async startAnew(): Promise<void> {
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
