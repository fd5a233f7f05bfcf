/**
 * One FIFO mailbox a key (a user): letters of a key are handed out in the order they came, and none while an earlier
 * hand-out of that key is not finished. Letters of different keys do not wait for each other.
 */
export class Mailboxes<Letter extends { readonly key: string }> {
  private readonly waiting = new Map<string, Letter[]>();
  private readonly busy = new Set<string>();
  /** Keys with letters that are not busy, in the order they became so. */
  private readonly ready = new Set<string>();
  private count = 0;

  /** Letters waiting, those handed out not counted. */
  get size(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** Whether letters of the key are handed out and neither done nor put back. */
  isBusy(key: string): boolean {
    return this.busy.has(key);
  }

  put(letter: Letter): void {
    const { key } = letter;
    const box = this.waiting.get(key);
    if (box) box.push(letter);
    else this.waiting.set(key, [letter]);
    this.count++;
    if (!this.busy.has(key)) this.ready.add(key);
  }

  /** Hands out up to `max` letters of keys that are not busy; those keys are busy until `done` or `putBack`. */
  take(max: number): Map<string, Letter[]> {
    const taken = new Map<string, Letter[]>();
    let room = max;
    for (const key of this.ready) {
      if (room === 0) break;
      const box = this.waiting.get(key) as Letter[];
      const letters = box.length <= room ? box : box.splice(0, room);
      if (letters === box) this.waiting.delete(key);
      room -= letters.length;
      this.count -= letters.length;
      this.ready.delete(key);
      this.busy.add(key);
      taken.set(key, letters);
    }
    return taken;
  }

  /** The key's letters are handled; the next ones may be handed out. */
  done(key: string): void {
    this.busy.delete(key);
    if (this.waiting.has(key)) this.ready.add(key);
  }

  /** The key's letters were not handled: they are first in its mailbox again. */
  putBack(key: string, letters: readonly Letter[]): void {
    this.returnRest(key, letters);
    this.done(key);
  }

  /** Some of the key's letters are first in its mailbox again, while the others are still in hand. */
  returnRest(key: string, letters: readonly Letter[]): void {
    this.waiting.set(key, [...letters, ...(this.waiting.get(key) ?? [])]);
    this.count += letters.length;
  }

  /** All letters that are waiting. */
  *[Symbol.iterator](): Iterator<Letter> {
    for (const letters of this.waiting.values()) yield* letters;
  }

  /** Takes letters out that nobody has been handed, e.g. of a source that is given up. */
  remove(which: (letter: Letter) => boolean): Letter[] {
    const removed: Letter[] = [];
    for (const [key, letters] of this.waiting) {
      const kept = letters.filter((letter) => !which(letter));
      if (kept.length === letters.length) continue;
      removed.push(...letters.filter(which));
      if (kept.length > 0) this.waiting.set(key, kept);
      else {
        this.waiting.delete(key);
        this.ready.delete(key);
      }
    }
    this.count -= removed.length;
    return removed;
  }
}
