import { randomUUID } from "node:crypto";
import { failureName, isUnavailable } from "../../broker/failure.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import type { FailureName } from "../../config/errors.ts";
import { orderIdOf } from "../gift-order-id.ts";
import { contentHashOf } from "./accepted-gift.ts";
import type { GiftAnswer } from "./gift.contract.ts";

export interface GiftRequest {
  readonly userId: string;
  readonly giftId: number;
  readonly roomId: number;
  readonly receiverId: string;
  readonly type: number;
  readonly count: number;
  readonly requestId?: string | undefined;
  /** The sender is banned, everywhere or in the room. */
  readonly isBanned?: boolean | undefined;
  /** For a gift without a request id: a new random id of the caller. */
  readonly orderId?: string | undefined;
  /** Of a gift that is traced: the span of its acceptance. */
  readonly traceparent?: string | undefined;
}

/** The terms of a gift, fixed at acceptance. */
export interface Terms {
  /** The price of one, coins. */
  readonly price: number;
  /** The receiver's share, whole percent. */
  readonly sharePercent: number;
  /** The effect's file. */
  readonly url: string;
}

/** A gift that passed all checks. */
export interface PassedGift {
  readonly candidate: Candidate;
  readonly terms: Terms;
}

/** The outcome of a publication. */
export interface Outcome {
  /** The content of the order. */
  readonly contentHash: string;
  /** False: it was published and not acked, so it may be in the queue. */
  readonly accepted: boolean;
}

/** A gift of a group while it is being accepted. */
export class Candidate {
  readonly request: GiftRequest;
  readonly orderId: string;
  readonly contentHash: string;
  answer: GiftAnswer | undefined;
  /** The outcome of its publication; `undefined` where the order is certainly not accepted. */
  outcome: Outcome | undefined;
  /** An earlier request may have put the order into the queue, with this content. */
  perhapsEarlier = false;
  /** Set when its publication starts. Resolves once that has ended and `answer` is set. */
  published: Promise<void> | undefined;

  constructor(request: GiftRequest) {
    const { userId, requestId, orderId } = request;
    this.request = request;
    this.orderId = requestId === undefined ? (orderId ?? randomUUID()) : orderIdOf(userId, requestId);
    this.contentHash = contentHashOf(request);
  }

  /** Whether the request may be a repeat: it has a request id. */
  get repeatable(): boolean {
    return this.request.requestId !== undefined;
  }

  /** The answer where the order was accepted with this content. */
  answerAs(acceptedHash: string): void {
    this.answer = acceptedHash === this.contentHash ? { orderId: this.orderId } : { failure: "idempotencyConflict" };
  }

  refuse(failure: FailureName, data?: Record<string, unknown>): void {
    this.answer = { failure, ...(data && { data }) };
  }

  /** It is not accepted; or, if `mayHaveHappened`, this or an earlier request may be. */
  unavailable(cause: string, mayHaveHappened: boolean, more: Record<string, unknown> = {}): void {
    const data = { orderId: this.orderId, cause, ...(mayHaveHappened && { mayHaveHappened }), ...more };
    this.answer = { failure: "unavailable", data };
  }

  /** A query failed, before the gift was published: it is certainly not accepted. */
  failed(error: unknown): void {
    if (isUnavailable(error)) this.unavailable(messageOf(error), false);
    else this.refuse(failureName(error) ?? "internal");
  }
}
