/** What becomes of a partition that changes hands while a gift in it cannot be settled. */
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { nodeOfPartition } from "../../../mixins/jetstream/partitions.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import { partitionOf } from "../../../services/gift-partitions.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { settledOrders, tradesOfUser } from "../../support/outcomes.ts";
import { partitionsShared } from "../../support/partitions.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

jest.setTimeout(60_000);

const anchor = "9000000000000000077";
const neighbours = [
  liveRooms(() => anchor),
  { name: "im-router", actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) } },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;
let first: ServiceBroker;

beforeAll(async () => {
  // A charge that waits for an account is given up soon.
  process.env.CALL_TIMEOUT_MS = "4000";
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  first = await startNode("gift-1", [gift]);
  caller = await startNode("caller", []);
  await partitionsShared("gift", [first]);
});
afterAll(async () => {
  await expectBooksBalanced();
  await stopAll();
});

test("the gifts of others are settled, by the new node, and the one that could not be before the later ones of its sender", async () => {
  const partition = 1;
  const users = Array.from({ length: 40 }, (_, n) => String(9_400_000_000_000_000_000n + BigInt(n)));
  const [stuck, other] = users.filter((user) => partitionOf(user) === partition) as [string, string];
  for (const user of [stuck, other]) await recharge(caller, `order-${user}`, user, 1_000);
  const send = async (userId: string) =>
    (await call(caller, "gift.send", { userId, giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1 })).orderId;
  const held = await holdAccounts([stuck]);
  const orders: string[] = [];
  try {
    orders.push(await send(stuck));
    await eventually("it is in work", async () => (await call(caller, "gift.queueDepth", {})).inFlight === 1);
    const second = await startNode("gift-2", [gift]);
    expect(nodeOfPartition(partition, [first.nodeID, second.nodeID].sort())).toBe(second.nodeID);
    orders.push(await send(stuck));
    await settledOrders([await send(other)], limits.jetstream.ackWaitMs + 15_000);
    await partitionsShared("gift", [first, second]);
  } finally {
    await held.release();
  }
  await settledOrders(orders, 30_000);
  expect((await tradesOfUser(stuck)).map(({ bizId }) => bizId).slice(-2)).toEqual(orders);
});
