import type { Service } from "moleculer";
import type { PubAck } from "nats";
import { fail } from "../../broker/failure.ts";
import { config, natsPrefix } from "../../config/config.ts";
import { streamNames } from "../../mixins/jetstream/streams.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { giftStream } from "../streams.ts";
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

/**
 * Messages that wait, are being settled, or are dead letters. The first two are read at the same time for each
 * partition.
 */
export async function queueDepth(
  service: Queueing,
): Promise<{ waiting: number; inFlight: number; deadLetters: number }> {
  const { manager } = service.jetstream;
  const parts = await Promise.all(
    streamNames(giftStream).map(async (stream) => {
      const consumers = await manager.consumers.list(stream).next();
      // Without a consumer all messages wait.
      if (consumers.length === 0) return { waiting: (await manager.streams.info(stream)).state.messages, inFlight: 0 };
      return {
        waiting: consumers.reduce((sum, { num_pending }) => sum + num_pending, 0),
        inFlight: consumers.reduce((sum, { num_ack_pending }) => sum + num_ack_pending, 0),
      };
    }),
  );
  const waiting = parts.reduce((sum, part) => sum + part.waiting, 0);
  const inFlight = parts.reduce((sum, part) => sum + part.inFlight, 0);
  const subjects = `${natsPrefix()}dead.${settlerDurable}`;
  const dead = await manager.streams.info(`${natsPrefix()}DEAD`, { subjects_filter: subjects });
  const deadLetters = Object.values(dead.state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  return { waiting, inFlight, deadLetters };
}
