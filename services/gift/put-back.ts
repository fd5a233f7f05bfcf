import type { Log } from "../../broker/log.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { StreamGeneration } from "../../mixins/jetstream/positions.ts";
import type { Recovery } from "../../mixins/jetstream/recoveries.ts";
import { giftStream } from "../streams.ts";
import { type AcceptedGift, partitionOf } from "./accepted-gift.ts";
import { allAccepted } from "./accepted-orders.ts";
import type { GiftState } from "./gift-state.ts";
import { findContentHashes } from "./gift-store.ts";
import { subjectOf } from "./queue.ts";

type Queueing = Pick<GiftState, "redis" | "mysql" | "jetstream"> & {
  readonly logger: Log;
};

/**
 * After a part of the gift queue was lost or emptied: accepted gifts that are in Redis and not in the books are put
 * back. Some may still wait or be in progress; the ledger recognizes them by order id.
 */
export function giftRecovery(service: Queueing): Recovery {
  return { name: "accepted gifts", stream: giftStream, run: (streams) => putBack(service, streams) };
}

async function putBack(service: Queueing, streams: readonly StreamGeneration[]): Promise<void> {
  // A stream that was purged or restored keeps the message ids of the last two minutes; a new stream has none.
  const lost = new Map(streams.map(({ stream, again }) => [stream, again ?? ""]));
  const queueOf = ({ senderId }: AcceptedGift) => `${natsPrefix()}${giftStream.name}-${partitionOf(senderId)}`;
  const markOfGift = (gift: AcceptedGift) => lost.get(queueOf(gift)) ?? "";
  let gifts: AcceptedGift[] = [];
  let count = 0;
  for await (const some of allAccepted(service.redis, service.logger)) {
    gifts.push(...(await unsettled(service, some)).filter((gift) => lost.has(queueOf(gift))));
    if (gifts.length < limits.gift.putBackGifts) continue;
    count += await publish(service, gifts, markOfGift);
    gifts = [];
  }
  count += await publish(service, gifts, markOfGift);
  if (count > 0)
    service.logger.error(
      { gifts: count, streams: [...lost.keys()] },
      "accepted gifts of a lost queue are put back, as far as Redis had them",
    );
}

async function unsettled(service: Queueing, gifts: readonly AcceptedGift[]): Promise<AcceptedGift[]> {
  if (gifts.length === 0) return [];
  const settled = await findContentHashes(
    service.mysql,
    gifts.map(({ orderId }) => orderId),
  );
  return gifts.filter(({ orderId }) => !settled.has(orderId));
}

/**
 * Publishes in the order of acceptance. A sender's gifts keep their order within this portion, but not across portions,
 * since Redis lists its keys in no order. Returns how many were not in the queue.
 */
async function publish(
  { jetstream }: Queueing,
  gifts: readonly AcceptedGift[],
  markOfGift: (gift: AcceptedGift) => string,
): Promise<number> {
  const ordered = gifts.toSorted((a, b) => Date.parse(a.acceptedAt) - Date.parse(b.acceptedAt));
  const msgIdOf = (gift: AcceptedGift) => {
    const mark = markOfGift(gift);
    return mark === "" ? gift.orderId : `${gift.orderId}:again:${mark}`;
  };
  let count = 0;
  for (let at = 0; at < ordered.length; at += limits.gift.putBackInFlight) {
    const some = ordered.slice(at, at + limits.gift.putBackInFlight);
    const acks = await Promise.all(
      some.map((gift) => jetstream.publish(subjectOf(gift), gift, { msgId: msgIdOf(gift) })),
    );
    count += acks.filter(({ duplicate }) => !duplicate).length;
  }
  return count;
}
