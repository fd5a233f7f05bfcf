import type { Service } from "moleculer";
import type { PubAck } from "nats";
import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { Queued } from "./acceptance.ts";
import { type AcceptedGift, parseAcceptedGift, partitionOf } from "./accepted-gift.ts";
import { findContentHashes } from "./gift-store.ts";

type Queueing = Service & JetStreamState & MysqlState;

export const settlerDurable = "gift-settler";

/** The subject of an accepted gift, without the namespace's prefix. */
export function subjectOf({ senderId }: AcceptedGift): string {
  return `gift.send.${partitionOf(senderId)}`;
}

/**
 * Puts an accepted gift into the queue; durable when it resolves. If JetStream has the order id already (within its
 * window of two minutes), it returns the gift in the queue, whose price may differ, else this gift. With a `unique` id,
 * which is made for this gift, the one in the queue is this gift, put there by a try whose ack was lost. Fails:
 * unavailable. If `mayHaveHappened` is true, it may be in the queue; so also if an entry of the queue cannot be read.
 */
export async function enqueue(
  service: Queueing,
  gift: AcceptedGift,
  { unique, requestId }: { unique: boolean; requestId: string | null },
): Promise<Queued> {
  const { orderId, contentHash } = gift;
  const ack = await service.jetstream.publish(subjectOf(gift), gift, { msgId: orderId, requestId });
  if (!ack.duplicate || unique) return { contentHash, gift };
  try {
    const queued = await queuedGift(service, ack);
    if (queued) return { contentHash: queued.contentHash, gift: queued };
    const settled = (await findContentHashes(service.mysql, [orderId])).get(orderId);
    return { contentHash: settled ?? contentHash, gift: undefined };
  } catch (error) {
    service.logger.warn(
      { err: error, orderId, requestId },
      "a repeated gift cannot be compared with the one in the queue: the client must try again",
    );
    throw fail("unavailable", { orderId, cause: (error as Error).message, mayHaveHappened: true });
  }
}

/** The gift at a sequence of the queue, `undefined` where it is settled and has left the queue. */
async function queuedGift(service: Queueing, { stream, seq }: PubAck): Promise<AcceptedGift | undefined> {
  try {
    const stored = await service.jetstream.manager.streams.getMessage(stream, { seq });
    return parseAcceptedGift(stored.json(), config().ANCHOR_SHARE_PERCENT);
  } catch (error) {
    if ((error as { code?: string }).code === "404") return undefined;
    throw error;
  }
}
