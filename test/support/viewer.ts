import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import { eventually } from "./eventually.ts";

export interface Frame {
  code: number;
  body: { msgId?: string; userId?: string; bizCode?: number; data?: Record<string, unknown> } & Record<string, unknown>;
}

export interface GiftShown {
  orderIds: string[];
  senderId: string;
  receiverId: string;
  giftId: number;
  count: number;
  price: number;
}

/** A viewer on a socket: keeps every frame it got. */
export class Viewer {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  /** The im-server it is connected to, host and port. */
  readonly server: string;
  closed: { code: number; reason: string } | undefined;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.server = new URL(url).host;
    this.socket.on("message", (data) => this.frames.push(JSON.parse(String(data)) as Frame));
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    // What went wrong shows as a close; without a listener the process would end.
    this.socket.on("error", () => {});
  }

  greeted(): Promise<Frame> {
    const greeting = () => {
      if (this.closed) throw new Error(`closed with ${this.closed.code} ${this.closed.reason}`);
      return this.frames.find(({ code }) => code === 1001);
    };
    // The server closes what it could not admit in its time.
    return eventually("the greeting", greeting, limits.im.loginMs + 5_000);
  }

  business(bizCode: number): Frame["body"][] {
    return this.frames.filter(({ code, body }) => code === 1003 && body.bizCode === bizCode).map(({ body }) => body);
  }

  /** Gifts seen, each order id once. Counts of merged orders stand for all ids of the entry together. */
  gifts(): GiftShown[] {
    const seen = new Set<string>();
    return this.business(5556).flatMap(({ data }) =>
      ((data?.gifts ?? []) as GiftShown[]).filter(({ orderIds }) => {
        const fresh = orderIds.some((id) => !seen.has(id));
        for (const id of orderIds) seen.add(id);
        return fresh;
      }),
    );
  }

  /**
   * The count of each order id seen. The orders of a merged entry are alike, so each stands for its part of the count;
   * an order that is shown again, merged with others or not, must say the same.
   */
  countsByOrder(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { data } of this.business(5556))
      for (const { orderIds, count } of (data?.gifts ?? []) as GiftShown[])
        for (const id of orderIds) {
          const own = count / orderIds.length;
          if ((counts.get(id) ?? own) !== own) throw new Error(`order ${id} was shown with two counts`);
          counts.set(id, own);
        }
    return counts;
  }

  /** Where the room is as far as this viewer has seen it: what a client reconnects with. */
  position(): { seq: number; epoch: string } {
    const numbered = this.frames.map(({ body }) => ("seq" in body ? body : (body.data ?? {})));
    const { seq, epoch } = numbered.findLast((data) => "seq" in data) ?? {};
    return { seq: Number(seq), epoch: String(epoch) };
  }

  /** The numbers of the room's frames, in the order of their coming. */
  sequence(): number[] {
    return this.frames.flatMap(({ code, body }) => (code === 1003 && body.data?.seq ? [Number(body.data.seq)] : []));
  }

  saw(orderId: string): Promise<GiftShown> {
    return eventually(`the effect of ${orderId}`, () =>
      this.gifts().find(({ orderIds }) => orderIds.includes(orderId)),
    );
  }

  send(code: number, body: Record<string, unknown> = {}): void {
    this.socket.send(JSON.stringify({ code, body }));
  }

  close(): void {
    this.socket.terminate();
  }
}
