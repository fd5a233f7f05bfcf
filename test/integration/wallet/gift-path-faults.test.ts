import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { call } from "../../../services/contracts.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { RoomGift } from "../../../services/im-router/im-router.contract.ts";
import notification from "../../../services/notification/notification.service.ts";
import { giftStream } from "../../../services/streams.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { fundedUsers } from "./traffic.ts";
import { openWire, type Wire } from "./wire.ts";

jest.setTimeout(180_000);

const perUser = 20;
const affordable = 15;

let mysql: Wire;
let redis: Wire;
let caller: ServiceBroker;

/** What the router received: order ids of effects, and of notifications to senders. */
const shown = new Set<string>();
const told = new Set<string>();
const router = {
  name: "im-router",
  actions: {
    roomGifts(ctx: { params: { rooms: { gifts: RoomGift[] }[] } }) {
      for (const { gifts } of ctx.params.rooms) for (const { orderId } of gifts) shown.add(orderId);
      return null;
    },
    sendToUsers(ctx: { params: { notifications: { data: { orderId: string } }[] } }) {
      for (const { data } of ctx.params.notifications) told.add(data.orderId);
      return { delivered: 1 };
    },
  },
} as unknown as ServiceSchema;

beforeAll(async () => {
  [mysql, redis] = await Promise.all([
    openWire(process.env.MYSQL_URL as string),
    openWire(process.env.REDIS_URL as string),
  ]);
  process.env.MYSQL_URL = mysql.url;
  process.env.REDIS_URL = redis.url;
  await startNode("router", [router]);
  await Promise.all([
    startNode("wallet-1", [wallet]),
    startNode("wallet-2", [wallet]),
    startNode("notification", [notification]),
  ]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet", "im-router"]);
});
afterAll(async () => {
  for (const wire of [mysql, redis]) wire.mend();
  await stopAll();
  await Promise.all([mysql, redis].map((wire) => wire.close()));
});

/** Publishes gifts to the queue as the gift service does; returns their order ids in their order. */
async function acceptGifts(users: readonly string[], count: number): Promise<Map<string, string[]>> {
  const connection = await connect(natsOptions("test"));
  const makeStream = async () => {
    await ensureStreams(await connection.jetstreamManager(), [giftStream]);
    return true;
  };
  await eventually("the queue is there", makeStream, 20_000);
  const accepted = new Map<string, string[]>(users.map((user) => [user, []]));
  for (let n = 0; n < count; n++)
    await Promise.all(
      users.map(async (senderId) => {
        const orderId = randomUUID();
        accepted.get(senderId)?.push(orderId);
        const request = { giftId: 24, roomId: 5, receiverId: "77", type: 0, count: 1 };
        const message = {
          ...request,
          orderId,
          senderId,
          price: 10,
          sharePercent: 50,
          url: "",
          acceptedAt: new Date().toISOString(),
        };
        const subject = `gift.send.${partitionOf(senderId)}`;
        const body = signedText(subject, { ...message, contentHash: contentHashOf(request) });
        const put = () => connection.jetstream().publish(natsPrefix() + subject, body, { msgID: orderId });
        await eventually("the gift is in the queue", put, 20_000);
      }),
    );
  await connection.close();
  return accepted;
}

test("gifts end once, as the sender and the room see it, through lost commits and outages of Redis and MySQL", async () => {
  const users = await fundedUsers(caller, 30, affordable);
  const first = await acceptGifts(users, perUser / 2);
  const lost = mysql.breakOnce({ after: "INSERT INTO t_qiyu_currency_trade", at: "COMMIT", how: "reply lost" });
  await Promise.all([startNode("gift-1", [gift]), startNode("gift-2", [gift])]);
  const rest = acceptGifts(users, perUser / 2);
  await lost;
  redis.cut();
  await mysql.breakOnce({ at: "INSERT INTO t_gift_record", how: "reply lost" });
  const refused = mysql.refused;
  mysql.cut();
  await eventually("MySQL refuses", () => mysql.refused > refused + 3, 30_000);
  mysql.mend();
  redis.mend();

  const orders = new Map([...first]);
  for (const [user, ids] of await rest) orders.set(user, [...(orders.get(user) ?? []), ...ids]);
  const outcomes = await settledOrders([...orders.values()].flat(), 60_000);
  const endOf = new Map(outcomes.map(({ orderId, status, reason }) => [orderId, reason ?? status]));
  const trades = await rows<{ user_id: string; biz_id: string }>(
    "wallet",
    "SELECT user_id, biz_id FROM t_qiyu_currency_trade WHERE type = 0 ORDER BY id",
  );
  for (const [user, ids] of orders) {
    // Without Redis the order may suffer; the order in the ledger decides.
    const own = trades.filter(({ user_id }) => user_id === user).map(({ biz_id }) => biz_id);
    expect([...own].sort()).toEqual([...ids].sort());
    const ends = own.map((id) => endOf.get(id));
    expect(ends).toEqual(own.map((_, at) => (at < affordable ? "succeeded" : "balanceShort")));
  }
  await caller.waitForServices("gift");
  await eventually(
    "the queue is empty",
    async () => {
      const { waiting, inFlight, deadLetters } = await call(caller, "gift.queueDepth", {});
      return waiting + inFlight + deadLetters === 0;
    },
    30_000,
  );
  const ended = (wanted: string) => [...endOf].filter(([, end]) => end === wanted).map(([id]) => id);
  await eventually("the consumers of gift.settled are done", () => shown.size + told.size === endOf.size, 30_000);
  expect([...shown].sort()).toEqual(ended("succeeded").sort());
  expect([...told].sort()).toEqual(ended("balanceShort").sort());
  await expectBooksBalanced();
});
