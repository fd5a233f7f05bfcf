import type { ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { cutList } from "../../broker/parts.ts";
import type { Spans } from "../../broker/tracing/spans.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import type { GiftCharge, GiftOutcome } from "../wallet/wallet.contract.ts";
import { bucketOf } from "../wallet-buckets.ts";
import type { AcceptedGift } from "./accepted-gift.ts";
import type { HeldSenders } from "./held-senders.ts";
import type { RecordServers } from "./record-servers.ts";

interface Charging {
  readonly requestID: string | undefined;
  readonly spans: Spans | undefined;
  readonly held: HeldSenders;
}

/**
 * The wallet's outcome for each gift, with one call for each bucket; senders of whom there is none are held. Fails:
 * messageTooLarge, where a charge fits into no message. Then the gift becomes a dead letter; without an outcome it would be
 * acked and never settled.
 */
export async function charge(
  { broker, records }: { readonly broker: ServiceBroker; readonly records: Pick<RecordServers, "isSeveral"> },
  gifts: readonly AcceptedGift[],
  { requestID, spans, held }: Charging,
): Promise<Map<string, GiftOutcome>> {
  const outcomes = new Map<string, GiftOutcome>();
  const buckets = Map.groupBy(gifts, ({ senderId }) => bucketOf(senderId));
  // With one server they would not be named apart.
  const apart = records.isSeveral ? ({ apart: true } as const) : {};
  await Promise.all(
    [...buckets].map(async ([bucket, own]) => {
      const parts = chargeParts(own);
      // One call after the other: gifts of one sender keep their order, and none follows one that has no outcome.
      for (const [at, part] of parts.entries()) {
        const charges = part.filter((gift) => !held.has(gift));
        if (charges.length === 0) continue;
        const about = { requestID, ...spans?.callOptions(charges.map(({ orderId }) => orderId)) };
        try {
          const params = { bucket, gifts: charges, ...apart };
          const answer = await call(broker, "wallet.consumeForSendGift", params, about);
          for (const outcome of answer.outcomes) outcomes.set(outcome.orderId, outcome);
          if (answer.away)
            held.add(answer.away, fail("unavailable", { cause: "the senders' ledgers cannot be written" }));
        } catch (error) {
          const open = parts.slice(at).flat();
          held.add(
            open.map(({ senderId }) => senderId),
            error,
          );
          return;
        }
      }
    }),
  );
  return outcomes;
}

function chargeParts(gifts: readonly AcceptedGift[]): GiftCharge[][] {
  const bounds = { count: limits.wallet.commandsPerCall, bytes: limits.bus.listBytes, bytesOf: chargeBytes };
  return cutList(gifts.map(toCharge), bounds, ({ orderId }, bytes) => {
    throw fail("messageTooLarge", { orderId: orderId.slice(0, 100), bytes, most: limits.bus.listBytes });
  });
}

/** At the most, as JSON in UTF-8 without escapes. */
const chargeBytes = ({ orderId }: GiftCharge) => 250 + Buffer.byteLength(orderId);

function toCharge(gift: AcceptedGift): GiftCharge {
  const { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent } = gift;
  return { orderId, senderId, receiverId, roomId, giftId, count, price, sharePercent };
}
