import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import { onStopSignal } from "../../scripts/stop-signal.ts";
import { contentHashOf } from "../../services/gift/accepted-gift.ts";
import { consumers } from "../baseline/baseline.ts";
import { closeMeans, type Means, openMeans, settleGift } from "../baseline/settler.ts";
import { giftPrice } from "../settle/gifts.ts";
import type { BurstGift } from "./burst-gifts.ts";

/*
 * The usual design's way in: the request itself debits, in one transaction a gift, exactly as a consumer of the baseline
 * settles it (bench/baseline/settler.ts), and is answered when that is committed. It believes its token, which is the
 * user's id, and looks up no session, room, price or request id, so the comparison favours it.
 */

async function send(means: Means, { params, meta }: Context<BurstGift, { userId: string }>) {
  const { giftId, roomId, receiverId, type, count } = params;
  const gift = {
    ...{ giftId, roomId, receiverId, type, count },
    orderId: randomUUID(),
    senderId: meta.userId,
    price: giftPrice,
    sharePercent: 50,
    url: "../svga/angel.svga",
    contentHash: contentHashOf(params),
    acceptedAt: new Date().toISOString(),
  };
  const paid = await settleGift(means, gift, () => {});
  return paid
    ? { code: 200, msg: "成功", data: { orderId: gift.orderId } }
    : { code: 10_010, msg: "余额不足", data: null };
}

async function main(): Promise<void> {
  const means = await openMeans(consumers);
  const broker = new ServiceBroker({ nodeID: "usual", logLevel: "warn" });
  broker.createService({
    name: "gift",
    actions: { send: (ctx: Context<BurstGift, { userId: string }>) => send(means, ctx) },
  });
  broker.createService({
    name: "api",
    mixins: [ApiGateway as ServiceSchema],
    settings: {
      ip: "127.0.0.1",
      port: 0,
      routes: [
        {
          path: "/live/api",
          aliases: { "POST gift/send": "gift.send" },
          mappingPolicy: "restrict",
          bodyParsers: { json: true },
          onBeforeCall(ctx: Context<unknown, { userId: string }>, _route: unknown, request: IncomingMessage) {
            ctx.meta.userId = (request.headers.authorization ?? "").slice("Bearer ".length);
          },
        },
      ],
    },
  });
  const stopped = onStopSignal(async () => {
    await broker.stop();
    await closeMeans(means);
  });
  await broker.start();
  const { server } = broker.getLocalService("api") as unknown as { server: { address(): AddressInfo } };
  // The benchmark parses this line.
  console.log(`ready ${JSON.stringify({ port: server.address().port })}`);
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
