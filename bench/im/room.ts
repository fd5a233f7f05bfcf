import { ServiceBroker, type ServiceSchema } from "moleculer";
import { brokerOptions } from "../../broker/options.ts";
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
    const { address } = await call(this.broker, "im-router.pickServer", {});
    const urls: string[] = [];
    for (let i = 0; i < count; i++) {
      const { token } = await call(this.broker, "im-server.token", { userId: String(firstUser + i) });
      urls.push(`${address}?token=${token}&roomId=${roomId}`);
    }
    return urls;
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

/** A node of the benchmark's own that plays the neighbours of the IM services; resolves once it sees them. */
export async function openGiftSource({ closing }: ImBenchContext): Promise<GiftSource> {
  const broker = new ServiceBroker(brokerOptions("bench-gifts"));
  broker.createService(liveRooms);
  await broker.start();
  closing.add(() => broker.stop());
  await broker.waitForServices(["im-router", "im-server"], 20_000);
  // The router has to see the server, too.
  for (const until = Date.now() + 20_000; ; ) {
    const seen = await call(broker, "im-router.pickServer", {}).catch((error: Error) => error);
    if (!(seen instanceof Error)) return new GiftSource(broker);
    if (Date.now() > until) throw seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
