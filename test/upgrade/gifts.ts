import { setTimeout as pause } from "node:timers/promises";
import { requestId } from "../support/client.ts";
import type { Balancer } from "./balancer.ts";

/** Gifts at a steady rate, each sent once, as clients do. */

export interface Sender {
  readonly userId: string;
  readonly token: string;
}

interface Target {
  readonly roomId: number;
  readonly receiverId: string;
}

/** The cheapest gift, one coin. */
const giftId = 24;

/** How many refusals are shown. */
const shownRefusals = 20;

export class SteadyGifts {
  /** The orders of the gifts that were answered with 200. */
  readonly orderIds: string[] = [];
  /** Every other answer: a gift that its sender would have to send again. */
  readonly refusals: string[] = [];
  /** The longest wait for an answer, ms. */
  slowestMs = 0;
  private readonly balancer: Balancer;
  private readonly senders: readonly Sender[];
  private readonly target: Target;
  private sending = true;
  private readonly startedAt = performance.now();

  constructor(balancer: Balancer, senders: readonly Sender[], target: Target) {
    this.balancer = balancer;
    this.senders = senders;
    this.target = target;
  }

  /** Sends until `stop`, and resolves once everything is answered. */
  async run(perSecond: number): Promise<void> {
    const underWay: Promise<void>[] = [];
    while (this.sending) {
      const due = Math.floor(((performance.now() - this.startedAt) * perSecond) / 1_000);
      while (underWay.length < due) underWay.push(this.send(underWay.length));
      await pause(2);
    }
    await Promise.all(underWay);
  }

  stop(): void {
    this.sending = false;
  }

  /** What happens, with its time, beside the times of the refusals. */
  get seconds(): string {
    return ((performance.now() - this.startedAt) / 1_000).toFixed(1);
  }

  shown(): string[] {
    return this.refusals.slice(0, shownRefusals);
  }

  private async send(n: number): Promise<void> {
    const { token, userId } = this.senders[n % this.senders.length] as Sender;
    const gift = { giftId, count: 1, requestId: requestId(), ...this.target };
    const sentAt = performance.now();
    const reply = await this.balancer.post("/live/api/gift/send", token, gift);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - sentAt);
    if (!("broken" in reply) && reply.status === 200) {
      const { code, data } = JSON.parse(reply.body) as { code: number; data: { orderId: string } | null };
      if (code === 200 && data) {
        this.orderIds.push(data.orderId);
        return;
      }
    }
    this.refusals.push(`${this.seconds} s: user ${userId}: ${"broken" in reply ? reply.broken : reply.body}`);
  }
}
