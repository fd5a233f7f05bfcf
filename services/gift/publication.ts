import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { ServiceBroker } from "moleculer";
import { failureName, isUnavailable, mayHaveHappened } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { AcceptedGift } from "./accepted-gift.ts";
import { orderKey } from "./accepted-orders.ts";
import type { Candidate, PassedGift, Terms } from "./candidate.ts";
import type { NodeOrders } from "./node-orders.ts";
import { rememberOrders, reserveOrders, withdrawOrders } from "./order-reservations.ts";
import { enqueue, partsOf, type QueuedGift, type QueuePart } from "./queue.ts";
import type { SilentPartitions } from "./silent-partitions.ts";

interface Publishing extends JetStreamState {
  readonly broker: ServiceBroker;
  readonly redis: Redis;
  readonly logger: Log;
  readonly signatures: MessageSignatures;
  readonly orders: NodeOrders;
  readonly silent: SilentPartitions;
}

interface Circumstances {
  /** For the logs of the settler. */
  readonly requestId: string | null;
  /** Redis has failed for this group: nothing is reserved, and nothing waits for Redis. */
  readonly redisAway: boolean;
}

/** A gift that is being published. */
interface Outgoing extends QueuedGift {
  readonly candidate: Candidate;
}

/**
 * Reserves the orders, publishes a message for each partition, remembers what was accepted, and answers every gift. The
 * messages do not wait for each other: where one is not acked, its gifts alone are unavailable. Never rejects.
 */
export async function publishGifts(
  service: Publishing,
  gifts: readonly PassedGift[],
  circumstances: Circumstances,
): Promise<void> {
  const { orders, logger } = service;
  const owner = randomUUID();
  try {
    const { own, reserved } = await reserve(service, gifts, owner, circumstances);
    await publish(service, own, { ...circumstances, owner, reserved });
  } catch (error) {
    logger.error(
      { err: error, gifts: gifts.length },
      "accepting gifts failed: they may be published, and are answered 503",
    );
    for (const { candidate } of gifts) if (!candidate.answer) candidate.unavailable(messageOf(error), true);
  } finally {
    for (const { candidate } of gifts) if (candidate.repeatable) orders.end(candidate);
  }
}

/**
 * Answers the gifts whose order is accepted by Redis' knowledge, and those whose order is reserved for other content:
 * whether that is accepted is not known yet, and the group does not wait for it. A later request gets the outcome.
 */
async function reserve(
  { redis, signatures, logger }: Publishing,
  gifts: readonly PassedGift[],
  owner: string,
  { redisAway }: Circumstances,
): Promise<{ own: PassedGift[]; reserved: boolean }> {
  const asked = gifts.filter(({ candidate }) => candidate.repeatable);
  if (redisAway || asked.length === 0) return { own: [...gifts], reserved: !redisAway };
  let found: Awaited<ReturnType<typeof reserveOrders>>;
  try {
    found = await reserveOrders(
      redis,
      asked.map(({ candidate }) => candidate),
      owner,
      signatures,
      logger,
    );
  } catch (error) {
    logger.warn(
      { err: error, gifts: gifts.length },
      "orders are not reserved in Redis: their gifts are accepted, and reuses at another node are not detected",
    );
    return { own: [...gifts], reserved: false };
  }
  for (const [at, { candidate }] of asked.entries()) {
    const reservation = found[at];
    if (reservation === "reservedElsewhere")
      candidate.unavailable("another content has this request id, perhaps accepted", true, { reservedElsewhere: true });
    else if (reservation === "reservedBefore") candidate.perhapsEarlier = true;
    else if (typeof reservation === "object") answerAsAccepted(candidate, reservation.acceptedHash);
  }
  return { own: gifts.filter(({ candidate }) => !candidate.answer), reserved: true };
}

function answerAsAccepted(candidate: Candidate, contentHash: string): void {
  candidate.answerAs(contentHash);
  candidate.outcome = { contentHash, accepted: true };
}

async function publish(
  service: Publishing,
  gifts: readonly PassedGift[],
  about: Circumstances & { owner: string; reserved: boolean },
): Promise<void> {
  if (gifts.length === 0) return;
  const acceptedAt = new Date().toISOString();
  const all = gifts.map(({ candidate, terms }): Outgoing => {
    const gift = toAcceptedGift(candidate, terms, acceptedAt);
    return { candidate, gift, json: JSON.stringify(gift) };
  });
  await Promise.all(partsOf(all).map((part) => publishPart(service, part, about.requestId)));
  const { redis, logger } = service;
  const accepted = all.filter(({ candidate }) => candidate.outcome?.accepted);
  const refused = all.filter(({ candidate }) => candidate.repeatable && !candidate.outcome);
  const stored = remember(service, accepted, about.reserved);
  if (refused.length > 0 && !about.redisAway) {
    const orders = refused.map(({ candidate }) => candidate);
    // Also where no answer to the reservation came: Redis may carry it out late, and this after it on the connection.
    const withdrawn = withdrawOrders(redis, orders, about.owner, logger);
    if (about.reserved) await withdrawn;
  }
  // Without reservations Redis may hang, and every answer would wait for it.
  if (about.reserved) await stored;
}

function remember(
  { redis, logger, signatures }: Publishing,
  accepted: readonly Outgoing[],
  reserved: boolean,
): Promise<void> {
  if (accepted.length === 0) return Promise.resolve();
  const first = reserved ? accepted.filter(({ candidate }) => candidate.repeatable) : [];
  const rest = reserved ? accepted.filter(({ candidate }) => !candidate.repeatable) : accepted;
  const gifts = [...first, ...rest].map(({ candidate: { orderId }, json }) => ({
    ...{ orderId, json: signatures.sign(orderKey(orderId), json) },
  }));
  return rememberOrders(redis, gifts, first.length, logger);
}

function* tracedIn(gifts: readonly Outgoing[]) {
  for (const { candidate } of gifts) {
    const { traceparent } = candidate.request;
    if (traceparent) yield { key: candidate.orderId, traceparent };
  }
}

async function publishPart(service: Publishing, part: QueuePart<Outgoing>, requestId: string | null): Promise<void> {
  const { silent, orders, logger } = service;
  const { partition, gifts } = part;
  const passage = silent.start(partition, performance.now());
  let answered = false;
  try {
    const spans = Spans.start(service.broker, "gift.publish", "producer", tracedIn(gifts));
    await during(spans, () => enqueue(service, part, { requestId, traces: spans?.carried() }));
    answered = true;
    for (const { candidate } of gifts) answerAsAccepted(candidate, candidate.contentHash);
  } catch (error) {
    const perhaps = mayHaveHappened(error);
    answered = !perhaps;
    if (!isUnavailable(error)) logger.error({ err: error, gifts: gifts.length }, "gifts cannot be published");
    for (const { candidate } of gifts) notPublished(candidate, error, perhaps, orders);
  } finally {
    silent.end(passage, answered, performance.now());
  }
}

/** @param perhaps whether it may be in the queue */
function notPublished(candidate: Candidate, error: unknown, perhaps: boolean, orders: NodeOrders): void {
  const { orderId, contentHash } = candidate;
  // An earlier try may be in the queue, although this one is not.
  const earlier = candidate.repeatable ? orders.outcome(orderId) : undefined;
  if (perhaps || earlier || candidate.perhapsEarlier) {
    candidate.unavailable(messageOf(error), true);
    candidate.outcome = earlier ?? { contentHash, accepted: false };
  } else if (isUnavailable(error)) candidate.unavailable(messageOf(error), false);
  else candidate.refuse(failureName(error) ?? "internal");
}

function toAcceptedGift(candidate: Candidate, terms: Terms, acceptedAt: string): AcceptedGift {
  const { orderId, contentHash, request } = candidate;
  const { userId: senderId, receiverId, roomId, giftId, count, type } = request;
  const { price, sharePercent, url } = terms;
  return {
    orderId,
    senderId,
    receiverId,
    roomId,
    giftId,
    count,
    price,
    sharePercent,
    type,
    url,
    contentHash,
    acceptedAt,
  };
}
