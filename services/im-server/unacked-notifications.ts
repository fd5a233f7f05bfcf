/** A notification as it is stored in the notification stream. */
export interface StoredNotification {
  msgId: string;
  /** Its number in the stream. */
  seq: number;
  frame: string;
  /** When it leaves the stream by age, ms. */
  expiresAt: number;
}

interface Unacked extends StoredNotification {
  /** All numbers under which it is in the stream: a repeat after a long time is stored a second time. */
  seqs: Set<number>;
  resendAt: number;
  pauseMs: number;
}

export interface UnackedBounds {
  resendMs: number;
  resendMaxMs: number;
  unacked: number;
}

/** What one connection was sent and has not acked. Bounded: what does not fit stays in the stream for later. Pure. */
export class UnackedNotifications {
  private readonly unacked = new Map<string, Unacked>();
  private readonly bounds: UnackedBounds;
  /** Whether a notification did not fit: then the stream is to be read again once there is room. */
  skipped = false;

  constructor(bounds: UnackedBounds) {
    this.bounds = bounds;
  }

  get size(): number {
    return this.unacked.size;
  }

  /** Whether the notification is to be sent now: not where it was sent already, nor where there is no room for it. */
  take(notification: StoredNotification, nowMs: number): boolean {
    const known = this.unacked.get(notification.msgId);
    if (known) {
      known.seqs.add(notification.seq);
      return false;
    }
    if (this.unacked.size >= this.bounds.unacked) {
      this.skipped = true;
      return false;
    }
    const { resendMs } = this.bounds;
    this.unacked.set(notification.msgId, {
      ...notification,
      seqs: new Set([notification.seq]),
      resendAt: nowMs + resendMs,
      pauseMs: resendMs,
    });
    return true;
  }

  /** The numbers under which the acked notification is in the stream; none where it was not sent here. */
  acked(msgId: string): number[] {
    const notification = this.unacked.get(msgId);
    this.unacked.delete(msgId);
    return notification ? [...notification.seqs] : [];
  }

  /** The frames that are to be sent again now. The pause before each next time doubles, up to a bound. */
  due(nowMs: number): string[] {
    const frames: string[] = [];
    for (const [msgId, notification] of this.unacked) {
      if (notification.expiresAt <= nowMs) this.unacked.delete(msgId);
      else if (notification.resendAt <= nowMs) {
        notification.pauseMs = Math.min(2 * notification.pauseMs, this.bounds.resendMaxMs);
        notification.resendAt = nowMs + notification.pauseMs;
        frames.push(notification.frame);
      }
    }
    return frames;
  }
}
