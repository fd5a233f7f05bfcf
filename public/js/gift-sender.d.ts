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

/** `unknown`: there was no outcome for minutes; the gift records show it later. */
export interface GiftOutcome {
  status: "succeeded" | "failed" | "unknown";
  msg?: string;
  code?: number;
}

/** Fields that a rejection of `sendGift` may have. */
export interface SendError {
  /** Nobody answered, or with 502, 503 or 504: the same request may be sent again. */
  retryable?: boolean;
  /**
   * The gateway's envelope came with HTTP 2xx, 4xx or 503, or a proxy refused with 4xx: without an order id this try
   * was not accepted. Not set otherwise (a time-out, a lost connection, a truncated body, a proxy's 502, a 500): the
   * try may have been accepted.
   */
  answered?: boolean;
  /** `Retry-After`, ms. */
  retryAfterMs?: number;
  /** `data.orderId` of a 503: the order may have been accepted. */
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
  /** Aborted when outcomes are not needed any more, e.g. when the user leaves the room. */
  signal: AbortSignal;
  /** Called once for each order that was submitted and has an id, also where its outcome stays unknown. */
  onOutcome(content: GiftContent, outcome: GiftOutcome): void;
  /** How often a request is sent again before `submit` ends. */
  retries?: number;
  /** Pause before a repeat, where the answer has no Retry-After, ms; and the longest pause. */
  retryMs?: number;
  retryMostMs?: number;
  /**
   * The pause before asking for the outcome, where IM does not bring it, ms, growing by half each time; and how often.
   */
  outcomeFirstMs?: number;
  outcomeTries?: number;
}

export interface GiftSender {
  /** A new order, with a request id of its own; to the sender's `receiverId` where no other is given. */
  order(gift: { giftId: number }, count: number, receiverId?: string): GiftContent;
  /**
   * `unsure` and `unanswered`: it may have been accepted. `onOutcome` gets the outcome of an `unsure` one later. It
   * gets none of an `unanswered` one: submit the same content again, since another order may be a second charge.
   * Rejects with the SendError where the gift was certainly not accepted.
   */
  submit(content: GiftContent): Promise<"settled" | "accepted" | "unsure" | "unanswered">;
  /** Call it with the outcomes of the user's own orders from IM (5556, 5557), by the order's id or its tag. */
  settle(orderId: string, outcome: GiftOutcome): void;
}

export declare function newRequestId(): string;
export declare function createGiftSender(options: GiftSenderOptions): GiftSender;
