/**
 * One FIFO mailbox a user: the actor's side of the wallet. Commands of a user are handed out in the order they came, and
 * none while an earlier hand-out of that user is not finished.
 */
export interface Letter<Command, Reply> {
  readonly userId: string;
  readonly command: Command;
  readonly arrivedAt: number;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

export class Mailboxes<Command, Reply> {
  private readonly waiting = new Map<string, Letter<Command, Reply>[]>();
  private readonly busy = new Set<string>();
  /** Users with letters who are not busy, in the order they became so. */
  private readonly ready = new Set<string>();
  private count = 0;

  /** Letters waiting, those handed out not counted. */
  get size(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  put(letter: Letter<Command, Reply>): void {
    const box = this.waiting.get(letter.userId);
    if (box) box.push(letter);
    else this.waiting.set(letter.userId, [letter]);
    this.count++;
    if (!this.busy.has(letter.userId)) this.ready.add(letter.userId);
  }

  /** Hands out up to `max` letters of users who are not busy; those users are busy until `done` or `putBack`. */
  take(max: number): Map<string, Letter<Command, Reply>[]> {
    const taken = new Map<string, Letter<Command, Reply>[]>();
    let room = max;
    for (const userId of this.ready) {
      if (room === 0) break;
      const box = this.waiting.get(userId) as Letter<Command, Reply>[];
      const letters = box.splice(0, room);
      if (box.length === 0) this.waiting.delete(userId);
      room -= letters.length;
      this.count -= letters.length;
      this.ready.delete(userId);
      this.busy.add(userId);
      taken.set(userId, letters);
    }
    return taken;
  }

  /** The user's letters are answered; the next ones may be handed out. */
  done(userId: string): void {
    this.busy.delete(userId);
    if (this.waiting.has(userId)) this.ready.add(userId);
  }

  /** The user's letters were not handled: they are first in the mailbox again. */
  putBack(userId: string, letters: readonly Letter<Command, Reply>[]): void {
    this.waiting.set(userId, [...letters, ...(this.waiting.get(userId) ?? [])]);
    this.count += letters.length;
    this.done(userId);
  }
}
