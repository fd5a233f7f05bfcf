import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { fail } from "../../../broker/failure.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { RoomGift } from "../../../services/im-router/im-router.contract.ts";
import notification from "../../../services/notification/notification.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

/** Events that the stream EVENTS lost before their consumers had read them. */

jest.setTimeout(90_000);
// The setting is read when the first node starts: a stream that a test can fill.
process.env.EVENTS_MAX_BYTES = "1000000";

/** Publishes events that no consumer reads until the stream has dropped all that it held. */
async function fillUp(stream: string): Promise<void> {
  const manager = await connection.jetstreamManager();
  const { last_seq } = (await manager.streams.info(stream)).state;
  while ((await manager.streams.info(stream)).state.first_seq <= last_seq)
    await connection.jetstream().publish(`${natsPrefix()}event.nobody.reads`, "x".repeat(100_000));
}

const shown: string[] = [];
const told: string[] = [];
let routerAway = false;
const neighbours = [
  liveRooms(() => "77"),
  {
    name: "im-router",
    actions: {
      roomGifts(ctx: { params: { rooms: { gifts: RoomGift[] }[] } }) {
        if (routerAway) throw fail("unavailable");
        shown.push(...ctx.params.rooms.flatMap(({ gifts }) => gifts.map(({ orderId }) => orderId)));
        return null;
      },
      sendToUsers(ctx: { params: { notifications: { data: { orderId: string } }[] } }) {
        if (routerAway) throw fail("unavailable");
        told.push(...ctx.params.notifications.map(({ data }) => data.orderId));
        return { delivered: 1 };
      },
      sendToUser(ctx: { params: { data: { orderId: string } } }) {
        if (routerAway) throw fail("unavailable");
        told.push(ctx.params.data.orderId);
        return { delivered: 1 };
      },
    },
  },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;
let connection: NatsConnection;
let consumers: ServiceBroker[];

async function startConsumers(): Promise<void> {
  consumers = await Promise.all([startNode("gift", [gift]), startNode("notification", [notification])]);
  await caller.waitForServices(["gift", "notification"]);
}

beforeAll(async () => {
  connection = await connect(natsOptions("test"));
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  caller = await startNode("caller", []);
  await startConsumers();
  await caller.waitForServices(["wallet", "living-room", "im-router"]);
});
afterAll(async () => {
  await connection.close();
  await stopAll();
});

let users = 0;
const newUser = () => String(9_300_000_000_000_000_000n + BigInt(++users));
const send = (userId: string) =>
  call(caller, "gift.send", { userId, giftId: 22, roomId: 5, receiverId: "77" }).then(({ orderId }) => orderId);
const settled = (userId: string, orderId: string) =>
  eventually(`${orderId} is settled`, async () => {
    const { status } = await call(caller, "gift.order", { userId, orderId });
    return status === "accepted" ? undefined : status;
  });

/** A recharge, a gift that succeeded and one that failed, of which nobody has been told yet. */
async function untold(): Promise<{ paid: string; succeeded: string; failed: string }> {
  const user = newUser();
  const paid = `order-${user}`;
  await recharge(caller, paid, user, 100);
  // Both are accepted before one of them is paid for.
  const held = await holdAccounts([user]);
  const orders = await Promise.all([send(user), send(user)]).finally(() => held.release());
  const statuses = await Promise.all(orders.map((orderId) => settled(user, orderId)));
  expect([...statuses].sort()).toEqual(["failed", "succeeded"]);
  const orderOf = (status: string) => orders[statuses.indexOf(status as "failed")] as string;
  return { paid, succeeded: orderOf("succeeded"), failed: orderOf("failed") };
}

test.each<[string, (stream: string) => Promise<unknown>]>([
  ["dropped at the bound of the stream", fillUp],
  ["purged", async (stream) => (await connection.jetstreamManager()).streams.purge(stream)],
  ["gone with the stream", async (stream) => (await connection.jetstreamManager()).streams.delete(stream)],
])(
  "where unread events are %s, their consumers catch up from the books once they run: what was told before is not lost",
  async (_how, lose) => {
    const before = await untold();
    await eventually("the consumers have read", () => shown.includes(before.succeeded) && told.includes(before.failed));
    // The position is stored at a check, and confirmed by the next one.
    const positions = async () =>
      (await connection.jetstreamManager()).consumers
        .info(`${natsPrefix()}EVENTS`, "gift-effects")
        .then(({ num_ack_pending }) => num_ack_pending === 0);
    await eventually("all is acked", positions);
    routerAway = true;
    const missed = await untold();
    await Promise.all(consumers.map(stopNode));
    await lose(`${natsPrefix()}EVENTS`);
    routerAway = false;
    expect([shown.includes(missed.succeeded), told.includes(missed.failed), told.includes(missed.paid)]).toEqual([
      ...[false, false, false],
    ]);
    await startConsumers();
    await eventually(
      "the effect, the failure and the payment are told",
      () => [shown.includes(missed.succeeded), told.includes(missed.failed), told.includes(missed.paid)].every(Boolean),
      20_000,
    );
    expect(shown).not.toContain(missed.failed);
    expect(told).not.toContain(missed.succeeded);
    const after = await untold();
    await eventually(
      "what is settled now is told too",
      () => shown.includes(after.succeeded) && told.includes(after.failed),
    );
  },
);
