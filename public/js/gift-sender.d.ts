/** Types of gift-sender.js, for those who write TypeScript. */
export interface GiftContent {
  /** The same in every repeat of the order. */
  requestId: string;
  giftId: number;
  roomId: number;
  receiverId: string;
  type: number;
  count: number;
}

/** `unknown`: no outcome came for minutes; the gift records show it later. */
export interface GiftOutcome {
  status: "succeeded" | "failed" | "unknown";
  msg?: string;
  code?: number;
}

/** What a rejection of `sendGift` may carry. */
export interface SendError {
  /** Nobody answered, or with 502, 503 or 504: the same request may be sent again. */
  retryable?: boolean;
  /**
   * The gateway's envelope came with HTTP 2xx, 4xx or 503, or a proxy refused with 4xx: without an order id this try was
   * not accepted. Not set for all else (a time-out, a lost connection, a cut body, a proxy's 502, a 500): the try may
   * have been accepted.
   */
  answered?: boolean;
  /** `Retry-After`, ms. */
  retryAfterMs?: number;
  /** `data.orderId` of a 503: it may have been accepted all the same. */
  orderId?: string;
}

export interface GiftSenderOptions {
  api: {
    /** POST /live/api/gift/send; resolves to `data`, rejects with a SendError. */
    sendGift(content: GiftContent): Promise<{ orderId: string }>;
    /** POST /live/api/gift/order; resolves to `data`. */
    giftOrder(orderId: string): Promise<{ status: string; reason?: string; reasonCode?: number }>;
  };
  roomId: number;
  receiverId: string;
  /** Aborted when outcomes are of no interest, as when the room is left. */
  signal: AbortSignal;
  /** Called once for each order that was submitted and has an id, also where its outcome stays unknown. */
  onOutcome(content: GiftContent, outcome: GiftOutcome): void;
  /** How often a request is sent again before `submit` ends. */
  retries?: number;
  /** Pause before a repeat, where the answer has no Retry-After, ms; and the longest pause. */
  retryMs?: number;
  retryMostMs?: number;
  /**
   * Pause before the outcome is asked for, where IM does not bring it, ms, growing by half each time; and how often.
   */
  outcomeFirstMs?: number;
  outcomeTries?: number;
}

export interface GiftSender {
  /** A new order, with a request id of its own. */
  order(gift: { giftId: number }, count: number): GiftContent;
  /**
   * `unsure` and `unanswered`: it may have been accepted. The outcome of an `unsure` one follows by `onOutcome`. Of an
   * `unanswered` one nothing follows: submit the same content again, since another order may be a second charge. Rejects
   * with the SendError where the gift is not accepted for certain.
   */
  submit(content: GiftContent): Promise<"settled" | "accepted" | "unsure" | "unanswered">;
  /** To be called with the outcomes of the user's own orders that come over IM (5556, 5557). */
  settle(orderId: string, outcome: GiftOutcome): void;
}

export declare function newRequestId(): string;
export declare function createGiftSender(options: GiftSenderOptions): GiftSender;
