/** A notification as it is stored in the notification stream. */
export interface StoredNotification {
  msgId: string;
  /** Its sequence in the stream. */
  seq: number;
  frame: string;
  /** When it expires in the stream, ms. */
  expiresAt: number;
}

interface Unacked extends StoredNotification {
  /** All its sequences in the stream: a repeat after a long time is stored again. */
  seqs: Set<number>;
  resendAt: number;
  pauseMs: number;
}

export interface UnackedBounds {
  resendMs: number;
  resendMaxMs: number;
  unacked: number;
}

/** The notifications that one connection was sent and has not acked. Bounded: the others stay in the stream. Pure. */
export class UnackedNotifications {
  private readonly unacked = new Map<string, Unacked>();
  private readonly bounds: UnackedBounds;
  /** Whether a notification did not fit: then the stream must be read again once there is room. */
  skipped = false;

  constructor(bounds: UnackedBounds) {
    this.bounds = bounds;
  }

  get size(): number {
    return this.unacked.size;
  }

  /** Whether the notification is to be sent now: false where it was sent already, or there is no room for it. */
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

  /** The sequences of the acked notification in the stream; none where it was not sent here. */
  acked(msgId: string): number[] {
    const notification = this.unacked.get(msgId);
    this.unacked.delete(msgId);
    return notification ? [...notification.seqs] : [];
  }

  /** The frames that are to be sent again now. The pause doubles each time, up to a bound. */
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
