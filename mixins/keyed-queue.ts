/**
 * One FIFO queue for each key (a user). Messages of a key are taken in the order in which they were put. A key is
 * either ready or busy: `take` makes it busy, and none of its messages is taken again until `done` or `putBack`. Keys
 * do not wait for each other.
 */
export class KeyedQueue<Message extends { readonly key: string }> {
  /** A key has a lane while messages of it wait or are taken. */
  private readonly lanes = new Map<string, Lane<Message>>();
  /** Lanes with waiting messages that are not busy, in the order in which they became ready. */
  private readonly ready = new Set<Lane<Message>>();
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
    return this.lanes.get(key)?.busy ?? false;
  }

  put(message: Message): void {
    const { key } = message;
    this.count++;
    const lane = this.lanes.get(key);
    if (!lane) {
      const fresh = { key, busy: false, waiting: [message] };
      this.lanes.set(key, fresh);
      this.ready.add(fresh);
    } else if (lane.waiting) lane.waiting.push(message);
    else lane.waiting = [message];
  }

  /**
   * Takes up to `max` messages of ready keys, by key; these keys are busy until `done` or `putBack`. Keys with a message
   * that must not be taken are left out.
   */
  take(max: number, mayTake?: (message: Message) => boolean): Map<string, Message[]> {
    const taken = new Map<string, Message[]>();
    let room = max;
    for (const lane of this.ready) {
      if (room === 0) break;
      const waiting = lane.waiting as Message[];
      if (mayTake && !waiting.every(mayTake)) continue;
      const messages = waiting.length <= room ? waiting : waiting.splice(0, room);
      if (messages === waiting) lane.waiting = undefined;
      room -= messages.length;
      this.count -= messages.length;
      this.ready.delete(lane);
      lane.busy = true;
      taken.set(lane.key, messages);
    }
    return taken;
  }

  /** The key's messages are handled: its next ones may be taken. */
  done(key: string): void {
    const lane = this.lanes.get(key);
    if (!lane) return;
    lane.busy = false;
    if (lane.waiting) this.ready.add(lane);
    else this.lanes.delete(key);
  }

  /** The key's messages were not handled: they wait again, at the head of its queue. */
  putBack(key: string, messages: readonly Message[]): void {
    this.returnRest(key, messages);
    this.done(key);
  }

  /** Some of the key's messages wait again, at the head of its queue; the key stays busy with the others. */
  returnRest(key: string, messages: readonly Message[]): void {
    const lane = this.lanes.get(key) ?? { key, busy: true, waiting: undefined };
    this.lanes.set(key, lane);
    lane.waiting = [...messages, ...(lane.waiting ?? [])];
    this.count += messages.length;
  }

  /** All waiting messages. */
  *[Symbol.iterator](): Iterator<Message> {
    for (const { waiting } of this.lanes.values()) if (waiting) yield* waiting;
  }

  /** Removes and returns the waiting messages that match, e.g. those of a partition that this node gives up. */
  remove(matches: (message: Message) => boolean): Message[] {
    const removed: Message[] = [];
    for (const lane of this.lanes.values()) {
      const { key, busy, waiting = [] } = lane;
      const kept = waiting.filter((message) => !matches(message));
      if (kept.length === waiting.length) continue;
      removed.push(...waiting.filter(matches));
      lane.waiting = kept.length > 0 ? kept : undefined;
      if (kept.length > 0) continue;
      this.ready.delete(lane);
      if (!busy) this.lanes.delete(key);
    }
    this.count -= removed.length;
    return removed;
  }
}

/** The messages of a key that wait, at least one or `undefined`. */
interface Lane<Message> {
  readonly key: string;
  /** Messages of it are taken. */
  busy: boolean;
  waiting: Message[] | undefined;
}
