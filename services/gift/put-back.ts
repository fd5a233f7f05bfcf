import { hash } from "node:crypto";
import type { Log } from "../../broker/log.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { RecoveredStream, Recovery } from "../../mixins/jetstream/recoveries.ts";
import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { giftStream } from "../streams.ts";
import { type AcceptedGift, partitionOf } from "./accepted-gift.ts";
import { allAccepted } from "./accepted-orders.ts";
import type { GiftGroup } from "./gift-group.ts";
import type { GiftState } from "./gift-state.ts";
import { subjectOf } from "./queue.ts";

type Queueing = Pick<GiftState, "redis" | "jetstream" | "signatures"> & {
  readonly records: Pick<GiftState["records"], "contentHashes">;
  readonly logger: Log;
};

/**
 * After a part of the gift queue was lost or emptied: accepted gifts that are in Redis and not in the books are put
 * back. Some may still wait or be in progress; the ledger recognizes them by order id.
 */
export function giftRecovery(service: Queueing): Recovery {
  return { name: "accepted gifts", stream: giftStream, run: (streams) => putBack(service, streams) };
}

async function putBack(service: Queueing, streams: readonly RecoveredStream[]): Promise<void> {
  // A stream that was purged or restored keeps the message ids of the last two minutes; a new stream has none.
  const lost = new Map(streams.map(({ stream, again }) => [stream, again ?? ""]));
  // What was accepted since the first stream of a name was made waits in it.
  const since = new Map(streams.map(({ stream, created, isFirst }) => [stream, isFirst ? created : undefined]));
  const isLost = ({ senderId, acceptedAt }: AcceptedGift) => {
    const queue = queueOf(senderId);
    const created = since.get(queue);
    return lost.has(queue) && (created === undefined || Date.parse(acceptedAt) < Date.parse(created));
  };
  // A group is of one partition.
  const markOf = ([{ senderId }]: Group) => lost.get(queueOf(senderId)) ?? "";
  let gifts: AcceptedGift[] = [];
  let count = 0;
  for await (const some of allAccepted(service.redis, service.signatures, service.logger)) {
    gifts.push(...(await unsettled(service, some.filter(isLost))));
    if (gifts.length < limits.gift.putBackGifts) continue;
    count += await publish(service, gifts, markOf);
    gifts = [];
  }
  count += await publish(service, gifts, markOf);
  if (count > 0)
    service.logger.warn(
      { gifts: count, streams: [...lost.keys()] },
      "accepted gifts of a queue that was made again or marked were put back, as far as Redis had them",
    );
}

/** The stream where a sender's gifts wait. */
function queueOf(senderId: string): string {
  return `${natsPrefix()}${giftStream.name}-${partitionOf(senderId)}`;
}

async function unsettled(service: Queueing, gifts: readonly AcceptedGift[]): Promise<AcceptedGift[]> {
  if (gifts.length === 0) return [];
  const orders = gifts.map(({ orderId, senderId }) => ({ orderId, userId: senderId }));
  const settled = await service.records.contentHashes(orders);
  // Those of a server that is away are put back too: the ledger recognizes them.
  return gifts.filter(({ orderId }) => typeof settled.get(orderId) !== "string");
}

/**
 * Publishes groups in the order of acceptance, as far as it is known. Gifts that were accepted in one group have the
 * same time, so those of one sender among them are put back in the order of their order ids. Across portions there is
 * no order, since Redis lists its keys in no order. Returns how many gifts were not in the queue.
 */
async function publish(
  { jetstream, signatures }: Queueing,
  gifts: readonly AcceptedGift[],
  markOf: (group: Group) => string,
): Promise<number> {
  const ordered = gifts.toSorted(byAcceptance);
  const parts = Map.groupBy(ordered, ({ senderId }) => partitionOf(senderId));
  const messages = [...parts.values()].flatMap((own) =>
    groupsOf(own).map((group) => ({ group, msgId: messageIdOf(signatures, group, markOf(group)) })),
  );
  let count = 0;
  for (let at = 0; at < messages.length; at += limits.gift.putBackInFlight) {
    const some = messages.slice(at, at + limits.gift.putBackInFlight);
    const acks = await Promise.all(
      some.map(({ group, msgId }) => {
        const subject = subjectOf(group[0]);
        const text = signatures.sign(subject, JSON.stringify({ gifts: group } satisfies GiftGroup));
        return jetstream.publishText(subject, text, { msgId });
      }),
    );
    count += acks.reduce((sum, { duplicate }, n) => sum + (duplicate ? 0 : (some[n]?.group.length ?? 0)), 0);
  }
  return count;
}

type Group = readonly [AcceptedGift, ...AcceptedGift[]];

function byAcceptance(a: AcceptedGift, b: AcceptedGift): number {
  return Date.parse(a.acceptedAt) - Date.parse(b.acceptedAt) || (a.orderId < b.orderId ? -1 : 1);
}

const digest = (text: string) => hash("sha256", text, "hex");

/**
 * A group ends after a gift whose own order id says so. So another node, or a second run, that finds nearly the same
 * gifts makes nearly the same groups, and the server drops those that it has.
 */
export function groupsOf(gifts: readonly AcceptedGift[]): Group[] {
  const groups: Group[] = [];
  let group: AcceptedGift[] = [];
  for (const gift of gifts) {
    group.push(gift);
    const isLast = Number.parseInt(digest(gift.orderId).slice(0, 8), 16) % limits.gift.putBackGroupGifts === 0;
    if (!isLast && group.length < limits.gift.putBackGroupGiftsMax) continue;
    groups.push(group as unknown as Group);
    group = [];
  }
  if (group.length > 0) groups.push(group as unknown as Group);
  return groups;
}

/** The same for the same gifts. A group with one more gift has another id: under the same id it would be dropped. */
function messageIdOf(signatures: MessageSignatures, group: Group, mark: string): string {
  const id = `put-back:${signatures.idOf(group.map(({ orderId }) => orderId).join(","))}`;
  return mark === "" ? id : `${id}:again:${mark}`;
}
