/**
 * One FIFO queue for each key (a user). Messages of a key are taken in the order in which they were put. A key is
 * either ready or busy: `take` makes it busy, and none of its messages is taken again until `done` or `putBack`. Keys
 * do not wait for each other.
 */
export class KeyedQueue<Message extends { readonly key: string }> {
  private readonly waiting = new Map<string, Message[]>();
  private readonly busy = new Set<string>();
  /** Keys with waiting messages that are not busy, in the order in which they became ready. */
  private readonly ready = new Set<string>();
  private count = 0;

  /** Waiting messages; those that were taken are not counted. */
  get size(): number {
    return this.count;
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** Whether messages of the key were taken and are neither done nor put back. */
  isBusy(key: string): boolean {
    return this.busy.has(key);
  }

  put(message: Message): void {
    const { key } = message;
    const queue = this.waiting.get(key);
    if (queue) queue.push(message);
    else this.waiting.set(key, [message]);
    this.count++;
    if (!this.busy.has(key)) this.ready.add(key);
  }

  /** Takes up to `max` messages of ready keys, by key; these keys are busy until `done` or `putBack`. */
  take(max: number): Map<string, Message[]> {
    const taken = new Map<string, Message[]>();
    let room = max;
    for (const key of this.ready) {
      if (room === 0) break;
      const queue = this.waiting.get(key) as Message[];
      const messages = queue.length <= room ? queue : queue.splice(0, room);
      if (messages === queue) this.waiting.delete(key);
      room -= messages.length;
      this.count -= messages.length;
      this.ready.delete(key);
      this.busy.add(key);
      taken.set(key, messages);
    }
    return taken;
  }

  /** The key's messages are handled: its next ones may be taken. */
  done(key: string): void {
    this.busy.delete(key);
    if (this.waiting.has(key)) this.ready.add(key);
  }

  /** The key's messages were not handled: they wait again, at the head of its queue. */
  putBack(key: string, messages: readonly Message[]): void {
    this.returnRest(key, messages);
    this.done(key);
  }

  /** Some of the key's messages wait again, at the head of its queue; the key stays busy with the others. */
  returnRest(key: string, messages: readonly Message[]): void {
    this.waiting.set(key, [...messages, ...(this.waiting.get(key) ?? [])]);
    this.count += messages.length;
  }

  /** All waiting messages. */
  *[Symbol.iterator](): Iterator<Message> {
    for (const messages of this.waiting.values()) yield* messages;
  }

  /** Removes and returns the waiting messages that match, e.g. those of a partition that this node gives up. */
  remove(matches: (message: Message) => boolean): Message[] {
    const removed: Message[] = [];
    for (const [key, messages] of this.waiting) {
      const kept = messages.filter((message) => !matches(message));
      if (kept.length === messages.length) continue;
      removed.push(...messages.filter(matches));
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
