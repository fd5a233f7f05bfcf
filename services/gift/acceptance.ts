import { randomUUID } from "node:crypto";
import { fail, isUnavailable } from "../../broker/failure.ts";
import type { FailureName } from "../../config/errors.ts";
import { orderIdOf } from "../gift-order-id.ts";
import { type AcceptedGift, contentHashOf } from "./accepted-gift.ts";
import type { CatalogueGift } from "./gift.contract.ts";

export interface GiftRequest {
  userId: string;
  giftId: number;
  roomId: number;
  receiverId: string;
  type: number;
  count: number;
  requestId?: string;
  /** For a gift without a request id: a new random id of the caller. */
  orderId?: string;
}

/** The entry of the queue under an order id. */
export interface Queued {
  contentHash: string;
  /** The gift with its price and share; `undefined` where it is settled and has left the queue. */
  gift: AcceptedGift | undefined;
}

/** The dependencies of acceptance. Where a query fails, this request has put nothing into the queue. */
export interface AcceptancePorts {
  /** The content hash of an order that was accepted or settled, as far as Redis and the books have it. */
  knownOrder(orderId: string): Promise<string | undefined>;
  gift(giftId: number): Promise<CatalogueGift | undefined>;
  /** The anchor of a live room. */
  anchorOf(roomId: number): Promise<string | undefined>;
  /** The receiver's share of a gift, whole percent. */
  sharePercentOf(receiverId: string): Promise<number>;
  /** Whether a user can receive gifts: the account is neither frozen nor invalid. */
  mayReceive(userId: string): Promise<boolean>;
  funds(userId: string, amount: number): Promise<"enough" | "short" | "unusable">;
  /**
   * Durable when it resolves. Returns the gift that is in the queue: an earlier one, if the order was there already.
   * With a `unique` id, which is made for this request, it was not.
   */
  enqueue(gift: AcceptedGift, unique: boolean): Promise<Queued>;
  /** For later repeats and queries; may be lost. */
  remember(gift: AcceptedGift): Promise<void>;
}

export type Acceptance = { orderId: string } | { refused: FailureName };

/**
 * Accepts a gift or returns the reason of its refusal. A known order gets its first answer, even if the room, the gift
 * or the balance has changed since. So it is looked up before every other check.
 *
 * Before a refusal the order is looked up again: of two concurrent requests with one request id, one may fail the check
 * of coins or room only because the other was accepted after the first lookup. Accepted orders are found in Redis,
 * settled ones in the gift records. Without Redis only settled orders are found, since JetStream compares message ids
 * only on publication. Then an order that waits in the queue, or is charged and not recorded yet, is unknown, and its
 * repeat may be refused. The gift is still charged once, and a later repeat finds it.
 *
 * Where a lookup of the order fails, an earlier request with this request id may have been accepted: then
 * `mayHaveHappened` of the `unavailable` is true. Where any other query fails, the gift is certainly not accepted.
 */
export async function accept(request: GiftRequest, ports: AcceptancePorts, now: Date): Promise<Acceptance> {
  const { userId, giftId, roomId, receiverId, type, count, requestId } = request;
  const contentHash = contentHashOf(request);
  const orderId = requestId === undefined ? (request.orderId ?? randomUUID()) : orderIdOf(userId, requestId);
  const earlierAnswer = async (): Promise<Acceptance | undefined> => {
    if (requestId === undefined) return undefined;
    const known = await lookUp(orderId, ports);
    if (known === undefined) return undefined;
    return known === contentHash ? { orderId } : { refused: "idempotencyConflict" };
  };
  const first = await earlierAnswer();
  if (first) return first;
  // A gift to oneself is always refused, so no such order can exist.
  if (receiverId === userId) return { refused: "giftToSelf" };
  const checked = await check(request, ports);
  if ("refused" in checked) return (await earlierAnswer()) ?? checked;
  const accepted: AcceptedGift = {
    orderId,
    senderId: userId,
    receiverId,
    roomId,
    giftId,
    count,
    price: checked.price,
    sharePercent: await ports.sharePercentOf(receiverId),
    type,
    url: checked.svgaUrl,
    contentHash,
    acceptedAt: now.toISOString(),
  };
  const queued = await ports.enqueue(accepted, requestId === undefined);
  if (queued.contentHash !== contentHash) return { refused: "idempotencyConflict" };
  if (queued.gift) await ports.remember(queued.gift);
  return { orderId };
}

async function lookUp(orderId: string, ports: AcceptancePorts): Promise<string | undefined> {
  try {
    return await ports.knownOrder(orderId);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw fail("unavailable", { orderId, cause: (error as Error).message, mayHaveHappened: true });
  }
}

/** The gift of the catalogue, or the reason why it cannot be sent now: catalogue, room, accounts, funds. */
async function check(
  { userId, giftId, roomId, receiverId, count }: GiftRequest,
  ports: AcceptancePorts,
): Promise<CatalogueGift | { refused: FailureName }> {
  const gift = await ports.gift(giftId);
  if (gift?.status !== 1) return { refused: "giftUnknown" };
  if ((await ports.anchorOf(roomId)) !== receiverId) return { refused: "roomNotLive" };
  const [funds, mayReceive] = await Promise.all([
    ports.funds(userId, gift.price * count),
    ports.mayReceive(receiverId),
  ]);
  if (funds === "unusable" || !mayReceive) return { refused: "accountUnusable" };
  return funds === "short" ? { refused: "balanceShort" } : gift;
}
