import { setTimeout as pause } from "node:timers/promises";
import { requestId } from "../support/client.ts";
import type { Balancer } from "./balancer.ts";

/** Gifts at a steady rate, each sent once, as clients do. */

export interface Sender {
  readonly token: string;
}

interface Target {
  readonly roomId: number;
  readonly receiverId: string;
}

/** The cheapest gift, one coin. */
const giftId = 24;

export class SteadyGifts {
  /** The orders of the gifts that were answered with 200. */
  readonly orderIds: string[] = [];
  /** Every other answer: a gift that its sender would have to send again. */
  private readonly refusals: { readonly at: string; readonly answer: string }[] = [];
  /** The longest wait for an answer, ms. */
  slowestMs = 0;
  private readonly balancer: Balancer;
  private readonly senders: readonly Sender[];
  private readonly target: Target;
  private sending = true;
  private sent = 0;
  private readonly startedAt = performance.now();

  constructor(balancer: Balancer, senders: readonly Sender[], target: Target) {
    this.balancer = balancer;
    this.senders = senders;
    this.target = target;
  }

  /**
   * Sends until `stop`, and resolves once everything is answered. While `mostUnderWay` gifts are not answered it sends no
   * further ones, so that a machine that is too slow for the rate gets fewer.
   */
  async run(perSecond: number, mostUnderWay: number): Promise<void> {
    const underWay = new Set<Promise<void>>();
    let due = 0;
    for (let last = performance.now(); this.sending; await pause(2)) {
      const now = performance.now();
      due = Math.min(due + ((now - last) * perSecond) / 1_000, perSecond);
      last = now;
      for (; due >= 1 && underWay.size < mostUnderWay; due--) {
        const one = this.send(this.sent++).finally(() => underWay.delete(one));
        underWay.add(one);
      }
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

  /** The refusals by their answers: when the first and the last came, and how many. */
  shown(): string[] {
    return [...Map.groupBy(this.refusals, ({ answer }) => answer)].map(
      ([answer, all]) => `${all.length} times, from ${all[0]?.at} s to ${all.at(-1)?.at} s: ${answer}`,
    );
  }

  private async send(n: number): Promise<void> {
    const { token } = this.senders[n % this.senders.length] as Sender;
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
    const answer = "broken" in reply ? reply.broken : reply.body.replace(/"orderId":"[^"]*"/, '"orderId":"..."');
    this.refusals.push({ at: this.seconds, answer });
  }
}
