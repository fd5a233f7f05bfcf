import { limits } from "../../config/limits.ts";

/** A publication to a partition that is not answered yet. */
export interface Passage {
  readonly partition: number;
  readonly startedAt: number;
}

/**
 * The partitions of the queue that do not ack publications. Gifts for them are refused at once, so that they do not
 * delay the other gifts of their groups, nor pile up. A partition is silent once a publication to it has waited for
 * `limits.jetstream.publishTimeoutMs`, until a publication is answered. `limits.gift.silentPartitionMs` after the last
 * publication was given up, the next group tries it.
 */
export class SilentPartitions {
  private readonly underWay = new Map<number, Set<Passage>>();
  private readonly silentUntil = new Map<number, number>();

  start(partition: number, nowMs: number): Passage {
    const passage = { partition, startedAt: nowMs };
    const others = this.underWay.get(partition);
    if (others) others.add(passage);
    else this.underWay.set(partition, new Set([passage]));
    return passage;
  }

  /** @param answered whether the server acked or refused it */
  end(passage: Passage, answered: boolean, nowMs: number): void {
    const { partition } = passage;
    this.underWay.get(partition)?.delete(passage);
    if (answered) this.silentUntil.delete(partition);
    else this.silentUntil.set(partition, nowMs + limits.gift.silentPartitionMs);
  }

  has(partition: number, nowMs: number): boolean {
    const underWay = this.underWay.get(partition) ?? new Set();
    const until = this.silentUntil.get(partition);
    // After the pause one publication at a time tries it, until one is answered.
    if (until !== undefined) return nowMs < until || underWay.size > 0;
    // The first one in the set is the oldest.
    for (const { startedAt } of underWay) return nowMs - startedAt >= limits.jetstream.publishTimeoutMs;
    return false;
  }
}
