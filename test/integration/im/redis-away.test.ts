import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { routerBucketOf } from "../../../services/im-buckets.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  addressOf,
  connect,
  cutClients,
  livingRoomFake,
  openClient,
  seeing,
  startImServer,
  startRouter,
  ticketOf,
} from "./im-nodes.ts";

let redis: CuttableServer;
let a: ServiceBroker;
let b: ServiceBroker;
let router: ServiceBroker;

beforeAll(async () => {
  redis = await cuttable(process.env.REDIS_URL as string);
  process.env.REDIS_URL = redis.url;
  router = await startRouter("router", livingRoomFake);
  [a, b] = [await startImServer("im-a"), await startImServer("im-b")];
  await seeing(router, { "im-server": 2 });
  await Promise.all([a, b].map((node) => seeing(node, { "im-router": 1, "living-room": 1 })));
});
afterAll(async () => {
  redis.mend();
  cutClients();
  await stopAll();
  await redis.close();
});

const send = (orderId: string) =>
  call(router, "im-router.roomGifts", {
    bucket: routerBucketOf(1),
    rooms: [
      {
        roomId: 1,
        gifts: [{ orderId, senderId: "5", receiverId: "1", giftId: 3, count: 1, price: 10, url: "" }],
      },
    ],
  });

test("without Redis the connected are served, newcomers are closed with 4503, and all is in order once it is back", async () => {
  const clients = [await connect(a, "1", 1), await connect(b, "2", 1)];
  await send("before");
  const token = (await ticketOf(a, "3")).token;
  redis.cut();

  await send("without");
  await call(router, "im-router.sendToUser", { userId: "2", msgId: "n", bizCode: 5557, data: {} });
  await eventually("the notification", () => clients[1]?.business(5557).length === 1);
  for (const client of clients) await eventually("the gift", () => client.business(5556).length === 2);
  expect((await openClient(`${await addressOf(a)}?token=${token}&roomId=1`).closing()).code).toBe(4503);
  await expect(ticketOf(router, "3")).rejects.toMatchObject({ type: "unavailable" });

  redis.mend();
  await eventually("tokens again", () =>
    ticketOf(router, "3").then(
      () => true,
      () => false,
    ),
  );
  await eventually("kept numbers again", async () => {
    await send(`after-${Date.now()}`);
    return clients[0]?.business(5556).at(-1)?.data.epoch === clients[0]?.greeting?.epoch;
  });
  const lastOf = (at: number) => clients[at]?.business(5556).at(-1)?.msgId;
  await eventually("both alike", () => lastOf(0) === lastOf(1));
  const kept = clients[0]?.business(5556).filter(({ data }) => data.epoch === clients[0]?.greeting?.epoch);
  expect(kept?.map(({ data }) => data.seq)).toEqual(kept?.map((_, i) => i + 1));
});
