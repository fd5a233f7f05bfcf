import type { Batch, ChannelMessage } from "./message.ts";

/**
 * What a handler rejects with where it handled some messages of its batch and not others. Those of a key stand or fall
 * together: a key with one that was not handled is tried again with all of its messages, in their order.
 */
export class SomeNotHandled extends Error {
  readonly why: ReadonlyMap<ChannelMessage, unknown>;

  constructor(why: ReadonlyMap<ChannelMessage, unknown>) {
    super(`${why.size} messages of a batch were not handled`, { cause: [...why.values()][0] });
    this.why = why;
  }
}

/** What became of a batch. */
export interface Parts {
  readonly handled: Batch;
  /** The handler named what it did not handle, perhaps all of it. */
  readonly isPartial: boolean;
  /** The keys that were not handled, those of one reason together. */
  readonly failed: readonly (readonly [unknown, Batch])[];
}

/**
 * What of a batch was handled where its handler rejected. A key that was not has the reason of its first message that was
 * not. `views`: what the handler got, in the order of the batch. Any other error than `SomeNotHandled` is of all keys, and
 * so is one that names none of them. Pure.
 */
export function partsOf(batch: Batch, views: readonly ChannelMessage[], error: unknown): Parts {
  const reasons = new Map<string, unknown>();
  if (error instanceof SomeNotHandled) {
    const keys = [...batch].flatMap(([key, items]) => items.map(() => key));
    for (const [at, key] of keys.entries()) {
      const message = views[at] as ChannelMessage;
      if (error.why.has(message) && !reasons.has(key)) reasons.set(key, error.why.get(message));
    }
  }
  const isPartial = reasons.size > 0;
  if (!isPartial) return { handled: new Map(), failed: [[error, batch]], isPartial };
  const failed = Map.groupBy(reasons.keys(), (key) => reasons.get(key));
  return {
    isPartial,
    handled: new Map([...batch].filter(([key]) => !reasons.has(key))),
    failed: [...failed].map(([why, keys]) => [why, new Map(keys.map((key) => [key, batch.get(key) ?? []]))]),
  };
}
