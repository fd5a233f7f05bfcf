import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { guarded } from "../../mixins/guarded.ts";
import { nowMs } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { NoticeBox } from "./notice-box.ts";
import type { NoticeStore } from "./notice-store.ts";

interface Log {
  warn(about: object, text: string): void;
  error(about: object, text: string): void;
}

const idleMs = 60_000;
const errorBackoffMs = 1_000;

/**
 * Personal notices on their last metre: sent again until they are acked, and out of the stream then. What a connection
 * has not acked when it closes comes with the user's next one, on any node.
 */
export class Notices {
  private readonly store: NoticeStore;
  private readonly log: Log;
  private readonly resendMs: number;
  /** Connections with unacked notices; most have none. */
  private readonly boxes = new Map<Connection, NoticeBox>();
  /** Connections whose users' notices are to be looked up in the stream. */
  private readonly behind = new Set<Connection>();
  private readonly removing = new Set<Promise<void>>();
  /** The numbers of those that are being removed: a look-up that finds one still does not send it again. */
  private readonly leaving = new Set<number>();
  private readonly lookUps: BackgroundLoop;
  private readonly resends: NodeJS.Timeout;

  constructor({ store, resendMs, log }: { store: NoticeStore; resendMs: number; log: Log }) {
    this.store = store;
    this.resendMs = resendMs;
    this.log = log;
    const round = () => this.lookUp();
    this.lookUps = new BackgroundLoop({ name: "notices", idleMs, errorBackoffMs, log, round });
    const resend = guarded(log, "sending notices again", () => this.resend());
    this.resends = setInterval(resend, Math.max(10, resendMs / 8));
  }

  /** A notice that a router has kept and hands over. Returns how many connections it was sent to now: 1 or 0. */
  deliver(connection: Connection | undefined, notice: { msgId: string; seq: number; frame: string }): number {
    if (!connection?.open) return 0;
    const keptUntil = Date.now() + limits.jetstream.noticesAgeMs;
    if (!this.boxOf(connection).take({ ...notice, keptUntil }, Date.now())) return 0;
    return connection.send(notice.frame) ? 1 : 0;
  }

  /** Looks up what is kept for the connection's user and sends it, soon. */
  catchUp(connection: Connection): void {
    connection.noticesAt = nowMs();
    this.behind.add(connection);
    this.lookUps.wake();
  }

  /** The client has it. False where that was never sent here, or was acked before; nothing changes then. */
  acked(connection: Connection, msgId: string | undefined): boolean {
    const box = this.boxes.get(connection);
    const numbers = msgId === undefined ? [] : (box?.acked(msgId) ?? []);
    if (!box || msgId === undefined || numbers.length === 0) return false;
    for (const seq of numbers) this.remove(connection.userId, msgId, seq);
    if (box.passedOver && box.size <= limits.im.noticesUnacked / 2) {
      box.passedOver = false;
      this.catchUp(connection);
    }
    if (box.size === 0) this.boxes.delete(connection);
    return true;
  }

  forget(connection: Connection): void {
    this.boxes.delete(connection);
    this.behind.delete(connection);
  }

  /** Resolves once the running look-ups and removals are over. */
  async stop(): Promise<void> {
    clearInterval(this.resends);
    await this.lookUps.stop();
    await Promise.all(this.removing);
  }

  private boxOf(connection: Connection): NoticeBox {
    let box = this.boxes.get(connection);
    if (!box) {
      const { noticeResendMaxMs: resendMaxMs, noticesUnacked: unacked } = limits.im;
      box = new NoticeBox({ resendMs: this.resendMs, resendMaxMs, unacked });
      this.boxes.set(connection, box);
    }
    return box;
  }

  private remove(userId: string, msgId: string, seq: number): void {
    const removed = this.store.remove(userId, msgId, seq).catch((error: Error) => {
      this.log.warn({ userId, msgId, seq, err: error }, "an acked notice is still kept: it comes once more");
    });
    this.removing.add(removed);
    this.leaving.add(seq);
    void removed.then(() => {
      this.removing.delete(removed);
      this.leaving.delete(seq);
    });
  }

  private resend(): void {
    const now = Date.now();
    for (const [connection, box] of this.boxes) {
      for (const frame of box.due(now)) connection.send(frame);
      if (box.size === 0) this.boxes.delete(connection);
    }
  }

  /** One round: some of the connections that are behind. Those that could not be looked up stay behind. */
  private async lookUp(): Promise<boolean> {
    const some = [...this.behind].slice(0, limits.im.noticeUsersInFlight);
    const done = await Promise.allSettled(some.map((connection) => this.lookUpFor(connection)));
    for (const result of done) if (result.status === "rejected") throw result.reason;
    return this.behind.size > 0;
  }

  private async lookUpFor(connection: Connection): Promise<void> {
    // Before the look-up: where it is asked for meanwhile, it is looked up again.
    this.behind.delete(connection);
    try {
      let next = 1;
      while (connection.open) {
        const notice = await this.store.next(connection.userId, next);
        if (!notice || !connection.open) return;
        next = notice.seq + 1;
        if (this.leaving.has(notice.seq)) continue;
        const box = this.boxOf(connection);
        if (box.take(notice, Date.now())) connection.send(notice.frame);
        if (box.passedOver) return;
      }
    } catch (error) {
      if (connection.open) this.behind.add(connection);
      throw error;
    }
  }
}
