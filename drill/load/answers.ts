import type { Sent, SentGift, SentPayment } from "./jobs.ts";

/** What clients were answered in one row. */
export class Answers {
  readonly gifts: SentGift[] = [];
  readonly payments: SentPayment[] = [];
  accepted = 0;
  private readonly errors: Record<string, number> = {};
  private misnamed = 0;

  sent(gift: SentGift): void {
    this.gifts.push(gift);
    if (gift.outcome === "accepted") this.accepted++;
  }

  paid(payment: SentPayment): void {
    this.payments.push(payment);
  }

  failed(what: string): void {
    this.errors[what] = (this.errors[what] ?? 0) + 1;
  }

  /** An answer of success named an order, which is that of the request. */
  named(isOwn: boolean): void {
    if (!isOwn) this.misnamed++;
  }

  report(): Sent {
    const { gifts, payments, errors, misnamed } = this;
    return { gifts, payments, errors, misnamed };
  }
}
