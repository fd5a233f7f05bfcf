import { frameCodes } from "../../services/im-frames.ts";

/** A frame as it arrives. */
interface Frame {
  code: number;
  body: { seq?: number; epoch?: string; recovered?: boolean; data?: { seq?: number; epoch?: string } };
}

/**
 * Whether the numbers of a room's frames are whole at one viewer, over all her connections: a number that is passed over
 * must come later, or she must be told that frames are lost.
 */
export class FrameNumbers {
  private epoch: string | undefined;
  private last = 0;
  private readonly missing = new Set<number>();

  /** Numbers that did not come and of which nobody said that they are lost. */
  get holes(): number {
    return this.missing.size;
  }

  forget(): void {
    this.missing.clear();
  }

  take({ code, body }: Frame): void {
    if (code === frameCodes.login) this.greeted(body);
    else if (code === frameCodes.business) this.numbered(body.data ?? {});
  }

  /** A greeting that says nothing of a loss begins the count once; on return the missed frames follow it. */
  private greeted({ seq, epoch, recovered }: Frame["body"]): void {
    if (recovered !== false && this.epoch !== undefined) return;
    this.missing.clear();
    this.epoch = epoch;
    this.last = seq ?? 0;
  }

  private numbered({ seq, epoch = this.epoch }: { seq?: number; epoch?: string }): void {
    if (typeof seq !== "number") return;
    if (epoch !== this.epoch) {
      // The first frame that she gets of a new epoch. What it lacks shows in the gifts.
      this.epoch = epoch;
      this.last = seq;
      return;
    }
    this.missing.delete(seq);
    for (let number = this.last + 1; number < seq; number++) this.missing.add(number);
    this.last = Math.max(this.last, seq);
  }
}
