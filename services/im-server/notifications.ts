import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { guarded } from "../../mixins/guarded.ts";
import { nowMs } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { NotificationStore } from "./notification-store.ts";
import { UnackedNotifications } from "./unacked-notifications.ts";

const idleMs = 60_000;
const errorBackoffMs = 1_000;

/**
 * Sends users' notifications to their connections, again until the client acks them, and then removes them from the
 * stream. Notifications that a connection has not acked when it closes are sent to the user's next connection, on any
 * node.
 */
export class Notifications {
  private readonly store: NotificationStore;
  private readonly log: Log;
  private readonly resendMs: number;
  /** By connection; most connections have none. */
  private readonly unacked = new Map<Connection, UnackedNotifications>();
  /** Connections for whose users the stream must be read. */
  private readonly behind = new Set<Connection>();
  private readonly removals = new Set<Promise<void>>();
  /** The sequences that are being removed: a concurrent read does not send them again. */
  private readonly removing = new Set<number>();
  private readonly reads: BackgroundLoop;
  private readonly resends: NodeJS.Timeout;

  constructor({ store, resendMs, log }: { store: NotificationStore; resendMs: number; log: Log }) {
    this.store = store;
    this.resendMs = resendMs;
    this.log = log;
    const round = () => this.readForSome();
    this.reads = new BackgroundLoop({ name: "notifications", idleMs, errorBackoffMs, log, round });
    const resend = guarded(log, "sending notifications again", () => this.resend());
    this.resends = setInterval(resend, Math.max(10, resendMs / 8));
  }

  /**
   * Sends a notification that a router has stored under `seq`, if the user is connected and has not been sent it yet.
   */
  deliver(connection: Connection | undefined, notification: { msgId: string; seq: number; frame: string }): void {
    if (!connection?.open) return;
    const expiresAt = Date.now() + limits.jetstream.notificationsAgeMs;
    if (this.unackedOf(connection).take({ ...notification, expiresAt }, Date.now()))
      connection.sendNotification(notification.frame);
  }

  /** Reads the stored notifications of the connection's user soon, and sends them. */
  catchUp(connection: Connection): void {
    connection.notificationsReadAt = nowMs();
    this.behind.add(connection);
    this.reads.wake();
  }

  /** Handles an ack. False where the notification was not sent here, or was acked before; then nothing changes. */
  acked(connection: Connection, msgId: string | undefined): boolean {
    const unacked = this.unacked.get(connection);
    const seqs = msgId === undefined ? [] : (unacked?.acked(msgId) ?? []);
    if (!unacked || msgId === undefined || seqs.length === 0) return false;
    for (const seq of seqs) this.remove(connection.userId, msgId, seq);
    if (unacked.skipped && unacked.size <= limits.im.notificationsUnacked / 2) {
      unacked.skipped = false;
      this.catchUp(connection);
    }
    if (unacked.size === 0) this.unacked.delete(connection);
    return true;
  }

  forget(connection: Connection): void {
    this.unacked.delete(connection);
    this.behind.delete(connection);
  }

  /** Resolves once the running reads and removals have ended. */
  async stop(): Promise<void> {
    clearInterval(this.resends);
    await this.reads.stop();
    await Promise.all(this.removals);
  }

  private unackedOf(connection: Connection): UnackedNotifications {
    let unacked = this.unacked.get(connection);
    if (!unacked) {
      const { notificationResendMaxMs: resendMaxMs, notificationsUnacked } = limits.im;
      unacked = new UnackedNotifications({ resendMs: this.resendMs, resendMaxMs, unacked: notificationsUnacked });
      this.unacked.set(connection, unacked);
    }
    return unacked;
  }

  private remove(userId: string, msgId: string, seq: number): void {
    const removed = this.store.remove(userId, msgId, seq).catch((error: Error) => {
      const about = { userId, msgId, seq, err: error };
      this.log.warn(about, "an acked notification was not removed from the stream: it is sent again");
    });
    this.removals.add(removed);
    this.removing.add(seq);
    void removed.then(() => {
      this.removals.delete(removed);
      this.removing.delete(seq);
    });
  }

  private resend(): void {
    const now = Date.now();
    for (const [connection, unacked] of this.unacked) {
      for (const frame of unacked.due(now)) connection.sendNotification(frame);
      if (unacked.size === 0) this.unacked.delete(connection);
    }
  }

  /** One round: reads the stream for some of the connections. Where it cannot be read they are tried again. */
  private async readForSome(): Promise<boolean> {
    const some = [...this.behind].slice(0, limits.im.notificationReadsInFlight);
    const done = await Promise.allSettled(some.map((connection) => this.readFor(connection)));
    for (const result of done) if (result.status === "rejected") throw result.reason;
    return this.behind.size > 0;
  }

  private async readFor(connection: Connection): Promise<void> {
    // Before the read: if `catchUp` is called meanwhile, the stream is read again.
    this.behind.delete(connection);
    try {
      let next = 1;
      while (connection.open) {
        const notification = await this.store.next(connection.userId, next);
        if (!notification || !connection.open) return;
        next = notification.seq + 1;
        if (this.removing.has(notification.seq)) continue;
        const unacked = this.unackedOf(connection);
        if (unacked.take(notification, Date.now())) connection.sendNotification(notification.frame);
        if (unacked.skipped) return;
      }
    } catch (error) {
      if (connection.open) this.behind.add(connection);
      throw error;
    }
  }
}
