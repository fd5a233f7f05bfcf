/** One of the slots; freeing it again does nothing. */
export interface Slot {
  free(): void;
}

/** A fixed number of slots for work that may run at once. */
export class Slots {
  private taken = 0;
  private readonly count: number;
  private readonly freed: () => void;

  constructor(count: number, freed: () => void) {
    this.count = count;
    this.freed = freed;
  }

  get free(): boolean {
    return this.taken < this.count;
  }

  take(): Slot {
    let held = true;
    this.taken++;
    return {
      free: () => {
        if (!held) return;
        held = false;
        this.taken--;
        this.freed();
      },
    };
  }
}
