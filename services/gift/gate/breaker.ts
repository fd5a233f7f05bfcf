export type BreakerState = "closed" | "open" | "halfOpen";

/** A call that the breaker let through. Its outcome counts only while the breaker is in the state that let it through. */
export type BreakerPass = { readonly era: number };

/**
 * Stops calls to something that does not answer. Pure: the caller gives the time, in ms.
 *
 *     closed → open          `failuresToOpen` calls in a row have failed
 *     open → halfOpen        a call is to be made, `openMs` after it opened: this call is let through, and no other
 *     halfOpen → closed      the call was answered
 *     halfOpen → open        the call failed
 */
export class Breaker {
  private readonly bounds: { readonly failuresToOpen: number; readonly openMs: number };
  private readonly onChange: (state: BreakerState) => void;
  private current: BreakerState = "closed";
  private era = 0;
  private failuresInARow = 0;
  private openedAt = 0;

  constructor(bounds: { failuresToOpen: number; openMs: number }, onChange: (state: BreakerState) => void) {
    this.bounds = bounds;
    this.onChange = onChange;
  }

  get state(): BreakerState {
    return this.current;
  }

  /** Whether `begin` would let a call through. */
  mayBegin(now: number): boolean {
    return this.current === "closed" || (this.current === "open" && now - this.openedAt >= this.bounds.openMs);
  }

  /** `undefined`: the call must not be made. Otherwise `end` must follow. */
  begin(now: number): BreakerPass | undefined {
    if (!this.mayBegin(now)) return undefined;
    if (this.current === "open") this.become("halfOpen");
    return { era: this.era };
  }

  end({ era }: BreakerPass, answered: boolean, now: number): void {
    if (era !== this.era) return;
    if (answered) {
      this.failuresInARow = 0;
      if (this.current === "halfOpen") this.become("closed");
      return;
    }
    this.failuresInARow++;
    if (this.current === "closed" && this.failuresInARow < this.bounds.failuresToOpen) return;
    this.openedAt = now;
    this.become("open");
  }

  private become(state: BreakerState): void {
    this.current = state;
    this.era++;
    if (state === "closed") this.failuresInARow = 0;
    this.onChange(state);
  }
}
