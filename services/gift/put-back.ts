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
  readonly logger: Record<"warn" | "error", (about: object, text: string) => void>;
};

/**
 * Where a part of the gift queue was made anew: accepted gifts that Redis still remembers, and that the books do not
 * know, wait again under their own order ids. One that waits already, or is being settled, is known by that id to
 * JetStream within its window, and to the ledger for ever.
 */
export function giftRecovery(service: Queueing): Recovery {
  return { name: "accepted gifts", stream: giftStream, run: (streams) => putBack(service, streams) };
}

async function putBack(service: Queueing, streams: readonly StreamGeneration[]): Promise<void> {
  const lost = new Set(streams.map(({ stream }) => stream));
  const queueOf = ({ senderId }: AcceptedGift) => `${natsPrefix()}${giftStream.name}-${partitionOf(senderId)}`;
  let gifts: AcceptedGift[] = [];
  let count = 0;
  for await (const some of allAccepted(service.redis, service.logger)) {
    gifts.push(...(await unsettled(service, some)).filter((gift) => lost.has(queueOf(gift))));
    if (gifts.length < limits.gift.putBackGifts) continue;
    count += await publish(service, gifts);
    gifts = [];
  }
  count += await publish(service, gifts);
  if (count > 0)
    service.logger.error(
      { gifts: count, streams: [...lost] },
      "accepted gifts that a lost queue may have held are put back: what Redis had forgotten is not among them",
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

/** In the order in which they were accepted, so that each sender's keep theirs. How many the queue had not got. */
async function publish({ jetstream }: Queueing, gifts: readonly AcceptedGift[]): Promise<number> {
  const ordered = gifts.toSorted((a, b) => Date.parse(a.acceptedAt) - Date.parse(b.acceptedAt));
  let count = 0;
  for (let at = 0; at < ordered.length; at += limits.gift.putBackInFlight) {
    const some = ordered.slice(at, at + limits.gift.putBackInFlight);
    const acks = await Promise.all(
      some.map((gift) => jetstream.publish(subjectOf(gift), gift, { msgId: gift.orderId })),
    );
    count += acks.filter(({ duplicate }) => !duplicate).length;
  }
  return count;
}
