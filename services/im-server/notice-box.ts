/** A notice as it stands in the notice stream. */
export interface KeptNotice {
  msgId: string;
  /** Its number in the stream. */
  seq: number;
  frame: string;
  /** When it is forgotten, ms. */
  keptUntil: number;
}

interface Unacked extends KeptNotice {
  /** All numbers under which it stands in the stream: a repeat after a long time is kept a second time. */
  seqs: Set<number>;
  dueAt: number;
  pauseMs: number;
}

export interface BoxLimits {
  resendMs: number;
  resendMaxMs: number;
  unacked: number;
}

/** What one connection was sent and has not acked. Bounded: what does not fit stays in the stream for later. Pure. */
export class NoticeBox {
  private readonly unacked = new Map<string, Unacked>();
  private readonly limits: BoxLimits;
  /** Whether a notice did not fit: then the stream is to be looked through again once there is room. */
  passedOver = false;

  constructor(limits: BoxLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.unacked.size;
  }

  get full(): boolean {
    return this.unacked.size >= this.limits.unacked;
  }

  /** Whether the notice is to be sent now: not where it was sent already, nor where the box is full. */
  take(notice: KeptNotice, nowMs: number): boolean {
    const known = this.unacked.get(notice.msgId);
    if (known) {
      known.seqs.add(notice.seq);
      return false;
    }
    if (this.full) {
      this.passedOver = true;
      return false;
    }
    const { resendMs } = this.limits;
    this.unacked.set(notice.msgId, {
      ...notice,
      seqs: new Set([notice.seq]),
      dueAt: nowMs + resendMs,
      pauseMs: resendMs,
    });
    return true;
  }

  /** The numbers under which the acked notice stands in the stream; none where it is not known here. */
  acked(msgId: string): number[] {
    const notice = this.unacked.get(msgId);
    this.unacked.delete(msgId);
    return notice ? [...notice.seqs] : [];
  }

  /** The frames that are to be sent again now. Each waits twice as long as before for its next time, up to a bound. */
  due(nowMs: number): string[] {
    const frames: string[] = [];
    for (const [msgId, notice] of this.unacked) {
      if (notice.keptUntil <= nowMs) this.unacked.delete(msgId);
      else if (notice.dueAt <= nowMs) {
        notice.pauseMs = Math.min(2 * notice.pauseMs, this.limits.resendMaxMs);
        notice.dueAt = nowMs + notice.pauseMs;
        frames.push(notice.frame);
      }
    }
    return frames;
  }
}
