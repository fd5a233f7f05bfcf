import { randomUUID } from "node:crypto";
import type { FailureName } from "../../config/errors.ts";
import { type AcceptedGift, contentHashOf, orderIdOf } from "./accepted-gift.ts";
import type { CatalogueGift } from "./gift.contract.ts";

export interface GiftRequest {
  userId: string;
  giftId: number;
  roomId: number;
  receiverId: string;
  type: number;
  count: number;
  requestId?: string;
}

/** What acceptance needs of the world. */
export interface AcceptancePorts {
  /** The content hash of an order that was accepted or settled before, as far as memory and books know. */
  knownOrder(orderId: string): Promise<string | undefined>;
  gift(giftId: number): Promise<CatalogueGift | undefined>;
  /** The anchor of a live room. */
  anchorOf(roomId: number): Promise<string | undefined>;
  /** What of a gift is the receiver's, whole percent. */
  sharePercentOf(receiverId: string): Promise<number>;
  funds(userId: string, amount: number): Promise<"enough" | "short" | "unusable">;
  /**
   * Durable when it resolves. The content hash that stands in the queue: another's where the order was there already,
   * which an order with a `unique` id, made for this request, never was.
   */
  enqueue(gift: AcceptedGift, unique: boolean): Promise<string>;
  /** A help for later repeats and queries; may be lost. */
  remember(gift: AcceptedGift): Promise<void>;
}

export type Acceptance = { orderId: string } | { refused: FailureName };

/**
 * Accepts a gift or says why not. An order that is known is answered as it was the first time, whatever has become of
 * the room, the gift or the balance since: so the look for it comes before every other check.
 */
export async function accept(request: GiftRequest, ports: AcceptancePorts, now: Date): Promise<Acceptance> {
  const { userId, giftId, roomId, receiverId, type, count, requestId } = request;
  const contentHash = contentHashOf(request);
  const orderId = requestId === undefined ? randomUUID() : orderIdOf(userId, requestId);
  if (requestId !== undefined) {
    const known = await ports.knownOrder(orderId);
    if (known !== undefined) return known === contentHash ? { orderId } : { refused: "idempotencyConflict" };
  }
  if (receiverId === userId) return { refused: "giftToSelf" };
  const gift = await ports.gift(giftId);
  if (gift?.status !== 1) return { refused: "giftUnknown" };
  if ((await ports.anchorOf(roomId)) !== receiverId) return { refused: "roomNotLive" };
  const funds = await ports.funds(userId, gift.price * count);
  if (funds !== "enough") return { refused: funds === "short" ? "balanceShort" : "accountUnusable" };
  const accepted: AcceptedGift = {
    orderId,
    senderId: userId,
    receiverId,
    roomId,
    giftId,
    count,
    price: gift.price,
    sharePercent: await ports.sharePercentOf(receiverId),
    type,
    url: gift.svgaUrl,
    contentHash,
    acceptedAt: now.toISOString(),
  };
  const queued = await ports.enqueue(accepted, requestId === undefined);
  if (queued !== contentHash) return { refused: "idempotencyConflict" };
  await ports.remember(accepted);
  return { orderId };
}
