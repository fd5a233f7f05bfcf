import { randomUUID } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { RoomGift } from "../../../services/im-router/im-router.contract.ts";
import { giftStream } from "../../../services/streams.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { recharge } from "../../support/recharge.ts";
import { groupOf, signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

const users = Array.from({ length: 40 }, (_, n) => String(9_100_000_000_000_000_000n + BigInt(n)));
/** More than a settler holds at once, so that both have to work. */
const giftsPerUser = Math.ceil((limits.gift.settleHeldGifts * 2) / users.length);

/** The order ids that the room was shown, by sender, each where it came first. */
const shown = new Map<string, Set<string>>(users.map((user) => [user, new Set()]));
const router = {
  name: "im-router",
  actions: {
    roomGifts(ctx: { params: { rooms: { gifts: RoomGift[] }[] } }) {
      for (const { gifts } of ctx.params.rooms)
        for (const { senderId, orderId } of gifts) shown.get(senderId)?.add(orderId);
      return null;
    },
  },
} as unknown as ServiceSchema;

jest.setTimeout(180_000);

/** How long a part of the backlog may take on a machine that is busy with other things too. */
const settlingMs = 60_000;

let caller: ServiceBroker;

beforeAll(async () => {
  await startNode("router", [router]);
  await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet", "im-router"]);
  await Promise.all(users.map((user) => recharge(caller, `order-${user}`, user, 1_000)));
});
afterAll(stopAll);

/** Rounds of gifts, one of each user, that a message holds: so a message has several gifts of one sender. */
const roundsPerMessage = 3;

/**
 * A backlog of groups in which the users' gifts alternate, and of single gifts as an earlier release queued them; gives
 * back each user's order ids in their order.
 */
async function acceptBacklog(): Promise<Map<string, string[]>> {
  const connection = await connect(natsOptions("test"));
  await ensureStreams(await connection.jetstreamManager(), [giftStream]);
  const order = new Map<string, string[]>(users.map((user) => [user, []]));
  const accept = (senderId: string): AcceptedGift => {
    const orderId = randomUUID();
    order.get(senderId)?.push(orderId);
    const request = { giftId: 24, roomId: 5, receiverId: "77", type: 0, count: 1 };
    const gift = { ...request, orderId, senderId, price: 1, sharePercent: 50, url: "", contentHash: "" };
    return { ...gift, contentHash: contentHashOf(request), acceptedAt: new Date().toISOString() };
  };
  const publish = (partition: number, message: object) => {
    const subject = `gift.send.${partition}`;
    return connection.jetstream().publish(natsPrefix() + subject, signedText(subject, message));
  };
  const parts = [...Map.groupBy(users, partitionOf)];
  for (let round = 0; round < giftsPerUser; round += roundsPerMessage) {
    const rounds = Math.min(roundsPerMessage, giftsPerUser - round);
    await Promise.all(
      parts.map(async ([partition, own]) => {
        const gifts = Array.from({ length: rounds }, () => own.map(accept)).flat();
        if (round % 5 === 0) for (const gift of gifts) await publish(partition, gift);
        else await publish(partition, groupOf(gifts));
      }),
    );
  }
  await connection.close();
  return order;
}

const held = (node: ServiceBroker) => (node.getLocalService("gift") as unknown as JetStreamState).jetstream.held();

async function settledGifts(): Promise<number> {
  const count = "SELECT COUNT(*) AS n FROM t_qiyu_currency_trade WHERE type = 0 AND status = 1";
  return Number((await rows<{ n: string }>("wallet", count))[0]?.n);
}

test("each user's gifts are settled, and shown, in the order they were accepted, over two settlers and two wallets, also when a settler leaves", async () => {
  const order = await acceptBacklog();
  const [first, second] = await Promise.all([startNode("gift-1", [gift]), startNode("gift-2", [gift])]);
  await eventually(
    "half of the backlog",
    async () => {
      for (const node of [first, second]) expect(held(node)).toBeLessThanOrEqual(2 * limits.gift.settleHeldGifts);
      return (await settledGifts()) > (users.length * giftsPerUser) / 2;
    },
    settlingMs,
  );
  await stopNode(second);
  await eventually("all settled", async () => (await settledGifts()) >= users.length * giftsPerUser, settlingMs);
  const trades = await rows<{ user_id: string; biz_id: string }>(
    "wallet",
    "SELECT user_id, biz_id FROM t_qiyu_currency_trade WHERE type = 0 AND status = 1 ORDER BY id",
  );
  expect(trades).toHaveLength(users.length * giftsPerUser);
  for (const [user, ids] of order)
    expect(trades.filter(({ user_id }) => user_id === user).map(({ biz_id }) => biz_id)).toEqual(ids);
  const shownGifts = () => [...shown.values()].reduce((sum, { size }) => sum + size, 0);
  await eventually("all are shown", () => shownGifts() === users.length * giftsPerUser, settlingMs);
  for (const [user, ids] of order) expect([...(shown.get(user) ?? [])]).toEqual(ids);
  await expectBooksBalanced();
});
