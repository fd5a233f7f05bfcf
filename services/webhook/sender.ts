import { isUnavailable } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";
import { OutgoingError } from "../../mixins/outgoing/outgoing-error.ts";
import type { OutgoingHttp } from "../../mixins/outgoing/outgoing-http.ts";
import { signWebhook } from "../../mixins/outgoing/sign-webhook.ts";
import type { Limits } from "../limits-of.ts";
import type { DueDelivery } from "./delivery-reads-store.ts";
import type { Body } from "./message-store.ts";
import { keptAnswer, type Outcome, outcomeOf, type Try } from "./outcome.ts";
import type { TryOutcome } from "./outcome-writer.ts";
import type { Webhook } from "./webhook-store.ts";

/** The calls under way on this node, and the bytes of their bodies. */
export interface UnderWay {
  calls: number;
  bytes: number;
}

export interface SenderParts {
  readonly http: Pick<OutgoingHttp, "post">;
  /** Of a message's row; `undefined` where it was removed. */
  body(message: string): Promise<Body | undefined>;
  openSecret(sealed: string, webhookId: string): string;
  /** See `OutcomeWriter.write`. */
  write(outcome: TryOutcome): Promise<void>;
  /** Whether a call may be made now. */
  holds(webhookId: string): boolean;
  /** There is room for more due deliveries. */
  hungry(): void;
  readonly underWay: UnderWay;
  /** Ends the calls of a node that stops. */
  readonly signal: AbortSignal;
  /** For the metrics. */
  tried(outcome: Outcome["state"], durationMs: number): void;
  readonly bounds: Pick<Limits<typeof limits.webhook>, "inFlight" | "heldRows" | "tryMs">;
  readonly log: Log;
}

/** No call was made: the delivery is due as it was. */
class NotTried extends Error {}

/**
 * Makes the calls of one subscription: many at a time once its receiver has answered one, and one alone while the last
 * has failed, so that a receiver that is down, or hangs, costs little. Holds a bounded number of due deliveries, without
 * their bodies.
 */
export class Sender {
  private readonly parts: SenderParts;
  private webhook: Webhook;
  private readonly waiting: DueDelivery[] = [];
  /** Waiting, under way, or ended and not written yet. */
  private readonly held = new Set<string>();
  /** Written since the last look for due deliveries began: to that look they may still be due. */
  private readonly written = new Set<string>();
  private underWay = 0;
  private isFailing: boolean;
  /** On this node. */
  private hasSucceeded = false;
  /** Nothing is begun before, where the receiver could not be called at all. */
  private notBefore = 0;

  constructor(webhook: Webhook, parts: SenderParts) {
    this.webhook = webhook;
    this.parts = parts;
    this.isFailing = webhook.failingSince !== null;
  }

  /** The subscription as it was read last. */
  update(webhook: Webhook): void {
    this.webhook = webhook;
  }

  /** Whether calls are under way, or their outcomes are not written yet. */
  get isBusy(): boolean {
    return this.held.size > this.waiting.length;
  }

  /**
   * A look for due deliveries begins: how many are to be read. Those that are held are among them, since they are due.
   * 0: none. What was held back goes on: after a failed read, a busy node or a lapsed lease no call may be under way whose
   * end would begin the next one.
   */
  look(): number {
    this.written.clear();
    this.begin();
    return this.isHungry ? this.parts.bounds.heldRows - this.waiting.length + this.held.size : 0;
  }

  private get isHungry(): boolean {
    return this.waiting.length <= this.fewWaiting;
  }

  /** What waits at a receiver that hangs is enough for long: it is not read again with each look. */
  private get fewWaiting(): number {
    return Math.min(this.parts.bounds.heldRows / 2, 2 * this.mostUnderWay);
  }

  /** Deliveries that are due, in the order in which they are to be made. */
  offer(deliveries: readonly DueDelivery[]): void {
    for (const delivery of deliveries) {
      if (this.held.has(delivery.id) || this.written.has(delivery.id)) continue;
      this.held.add(delivery.id);
      this.waiting.push(delivery);
    }
    this.begin();
  }

  /**
   * Deliveries that became due just now. They are left to the next look where so many wait that it may find earlier ones.
   */
  offerNext(deliveries: readonly DueDelivery[]): void {
    const room = Math.max(0, this.fewWaiting / 2 - this.waiting.length);
    if (room > 0) this.offer(deliveries.slice(0, room));
  }

  /** Forgets what waits: this node makes its calls no more, or another one has perhaps made some of them. */
  leave(): void {
    for (const { id } of this.waiting.splice(0)) this.held.delete(id);
  }

  private mayBegin(): boolean {
    const { bounds, underWay, holds, signal } = this.parts;
    if (signal.aborted || !holds(this.webhook.id) || performance.now() < this.notBefore) return false;
    // Outcomes that cannot be written are not piled up.
    if (this.held.size - this.waiting.length >= bounds.heldRows) return false;
    if (this.underWay === 0) return true;
    return this.underWay < this.mostUnderWay && underWay.bytes < limits.webhook.inFlightBytes;
  }

  private get mostUnderWay(): number {
    if (this.isFailing) return 1;
    const { inFlightFirst, inFlightOfNode } = limits.webhook;
    const isMany = this.hasSucceeded && this.parts.underWay.calls < inFlightOfNode;
    return isMany ? this.parts.bounds.inFlight : inFlightFirst;
  }

  private begin(): void {
    while (this.waiting.length > 0 && this.mayBegin()) {
      const delivery = this.waiting.shift() as DueDelivery;
      void this.make(delivery).finally(() => {
        this.held.delete(delivery.id);
        this.written.add(delivery.id);
        this.begin();
        if (this.isHungry) this.parts.hungry();
      });
    }
  }

  /** Never rejects. Afterwards what came of it is durable, or it is due as it was. */
  private async make(delivery: DueDelivery): Promise<void> {
    const { id, webhookId, orderKey } = delivery;
    const { log, write, tried } = this.parts;
    try {
      const made = await this.callOf(delivery);
      if (!made) return;
      const tries = delivery.tries + 1;
      const outcome = outcomeOf(made, tries, Date.now(), Math.random());
      this.isFailing = outcome.state !== "succeeded";
      if (!this.isFailing) this.hasSucceeded = true;
      this.begin();
      tried(outcome.state, made.durationMs);
      const { httpStatus, failure, durationMs } = made;
      await write({
        ...{ id, webhookId, orderKey, tries, ...outcome },
        ...{ httpStatus, failure, durationMs, answer: keptAnswer(made.answer) },
      });
      if (outcome.state === "failed")
        log.warn(
          { webhookId, deliveryId: id, httpStatus, failure },
          "a webhook delivery has failed: it may be replayed",
        );
    } catch (err) {
      this.notBefore = performance.now() + limits.webhook.lookEveryMs;
      if (!(err instanceof NotTried) && !isUnavailable(err))
        log.error({ err, webhookId, deliveryId: id }, "a webhook delivery could not be made: it is tried again");
    }
  }

  /** `undefined`: the delivery was removed with its message. @throws NotTried */
  private async callOf({ message }: DueDelivery): Promise<Try | undefined> {
    this.underWay++;
    this.parts.underWay.calls++;
    try {
      const body = await this.parts.body(message);
      return body && (await this.call(body));
    } finally {
      this.underWay--;
      this.parts.underWay.calls--;
    }
  }

  /** @throws NotTried */
  private async call({ messageId, body }: Body): Promise<Try> {
    const { http, underWay, bounds, signal, openSecret } = this.parts;
    const { id, url, secrets } = this.webhook;
    let headers: Record<string, string>;
    try {
      const opened = secrets.map((sealed) => openSecret(sealed, id));
      headers = { ...signWebhook(opened, messageId, new Date(), body), "content-type": "application/json" };
    } catch (err) {
      this.parts.log.error({ err, webhookId: id }, "the secret of a webhook cannot be read: its calls fail");
      return { httpStatus: null, failure: "secretUnreadable", answer: "", durationMs: 0 };
    }
    const bytes = body.length;
    underWay.bytes += bytes;
    const startedAt = performance.now();
    try {
      const maxAnswerBytes = limits.webhook.answerBytes;
      const answer = await http.post({ url, headers, body, timeoutMs: bounds.tryMs, maxAnswerBytes, signal });
      const { status: httpStatus, durationMs, body: text } = answer;
      return { httpStatus, failure: null, retryAfter: answer.headers["retry-after"], answer: text, durationMs };
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error;
      if (error.reason === "busy" || error.reason === "aborted") throw new NotTried(error.reason);
      const durationMs = performance.now() - startedAt;
      return { httpStatus: null, failure: error.reason, answer: messageOf(error), durationMs };
    } finally {
      underWay.bytes -= bytes;
    }
  }
}
