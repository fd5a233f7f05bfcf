import { ServiceBroker, type ServiceSchema } from "moleculer";
import { WebSocket } from "ws";
import { brokerOptions } from "../../broker/options.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../../services/contracts.ts";
import { routerBucketOf } from "../../services/im-buckets.ts";
import type { RoomGift } from "../../services/im-router/im-router.contract.ts";
import type { ImBenchContext } from "./context.ts";

/** Every room is live and nobody asks who watches: what is measured is the way from the router to the viewers. */
const liveRooms = {
  name: "living-room",
  actions: {
    find: (ctx: { params: { roomId: number } }) => ({
      roomId: ctx.params.roomId,
      anchorId: "1",
      type: 1,
      roomName: "",
    }),
    setWatchNumbers: () => null,
  },
} as unknown as ServiceSchema;

const tokensAtOnce = 100;
const startDeadlineMs = 20_000;
const senders = 50;
const giftKinds = 5;

/** The gift service's place in a benchmark: it hands gifts to the router as they are settled. */
export class GiftSource {
  private readonly broker: ServiceBroker;
  private sent = 0;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
  }

  /** Addresses with a token each for so many users. Users are told apart from those of earlier calls. */
  async addresses(roomId: number, firstUser: number, count: number): Promise<string[]> {
    const urls: string[] = [];
    for (let at = 0; at < count; at += tokensAtOnce) {
      const users = Array.from({ length: Math.min(tokensAtOnce, count - at) }, (_, i) => String(firstUser + at + i));
      urls.push(...(await Promise.all(users.map((userId) => this.address(roomId, userId)))));
    }
    return urls;
  }

  /** What a client is told by im/getImConfig, as the address to connect to. */
  async address(roomId: number, userId: string): Promise<string> {
    const { address } = await call(this.broker, "im-router.pickServer", {});
    const { token } = await call(this.broker, "im-server.token", { userId }, { timeout: limits.im.tokenTimeoutMs });
    return `${address}?token=${token}&roomId=${roomId}`;
  }

  /** Sends gifts at a steady rate, each when it is due, and resolves to their counts' sum once all are handed over. */
  async send(roomId: number, perSecond: number, seconds: number): Promise<{ gifts: number; sum: number }> {
    const gifts = Math.round(perSecond * seconds);
    const startedAt = performance.now();
    const calls: Promise<unknown>[] = [];
    let done = 0;
    let sum = 0;
    while (done < gifts) {
      const due = Math.min(gifts, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) + 1);
      const batch: RoomGift[] = [];
      for (; done < due; done++) batch.push(this.gift());
      for (const { count } of batch) sum += count;
      const rooms = [{ roomId, pk: false, gifts: batch }];
      if (batch.length > 0)
        calls.push(call(this.broker, "im-router.roomGifts", { bucket: routerBucketOf(roomId), rooms }));
      const nextAt = startedAt + (done * 1_000) / perSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(5, nextAt - performance.now())));
    }
    await Promise.all(calls);
    return { gifts, sum };
  }

  /** The order id begins with the time at which the gift was sent. */
  private gift(): RoomGift {
    const n = this.sent++;
    return {
      orderId: `${Date.now()}-${n}-aaaaaaaa-bbbb-cccc`,
      senderId: String(100_000_000_000 + (n % senders)),
      receiverId: "1",
      giftId: 1 + (n % giftKinds),
      count: 1 + (n % 3),
      price: 10,
      url: "../svga/gift.svga",
    };
  }
}

async function comesIn(source: GiftSource): Promise<boolean> {
  const url = await source.address(999_999, "999").catch(() => undefined);
  if (!url) return false;
  const socket = new WebSocket(url);
  const greeted = await new Promise<boolean>((resolve) => {
    socket.once("message", () => resolve(true));
    socket.once("close", () => resolve(false));
    socket.once("error", () => resolve(false));
  });
  socket.terminate();
  return greeted;
}

/** A node of the benchmark's own that plays the neighbours of the IM services; resolves once it sees them. */
export async function openGiftSource({ closing }: ImBenchContext): Promise<GiftSource> {
  const broker = new ServiceBroker(brokerOptions("bench-gifts"));
  broker.createService(liveRooms);
  await broker.start();
  closing.add(() => broker.stop());
  await broker.waitForServices(["im-router", "im-server"], startDeadlineMs);
  const source = new GiftSource(broker);
  // All have to see each other: the proof is that somebody comes in.
  for (const until = Date.now() + startDeadlineMs; !(await comesIn(source)); ) {
    if (Date.now() > until) throw new Error("nobody is let in by the im-server");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return source;
}
