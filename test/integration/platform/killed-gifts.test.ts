import { randomUUID } from "node:crypto";
import type { ServiceSchema } from "moleculer";
import gift from "../../../services/gift/gift.service.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import platform from "../../../services/platform/platform.service.ts";
import user from "../../../services/user/user.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { type Answer, requestId } from "../../support/client.ts";
import { NodeProcess } from "../../support/node-process.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { PlatformBackend } from "../../support/platform-backend.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { startGateway } from "../api-gateway/neighbours.ts";

/**
 * Gifts of the server API under kills: a gateway, a platform and a gift node are processes that are killed, and one of each
 * stays.
 */

jest.setTimeout(120_000);

const senders = 8;
const lanes = 4;
const giftsEach = 9;
const coins = 1_000;
const answerMs = 60_000;

const router = {
  name: "im-router",
  actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }), closeRoom: () => null },
} as unknown as ServiceSchema;
const servers = () => ({
  nats: { url: process.env.NATS_URL as string },
  mysql: { url: process.env.MYSQL_URL as string },
  redis: { url: process.env.REDIS_URL as string },
});
const services = ["user", "living-room", "wallet", "gift", "platform"];

let processes: Record<"api-gateway" | "platform" | "gift", NodeProcess>;
/** By way of the gateway that is killed, and of the one that stays; each with an API key of its own. */
let backends: [PlatformBackend, PlatformBackend];
let fans: { externalId: string; userId: string }[] = [];

beforeAll(async () => {
  const house = await startNode("house", [router, user, livingRoom, wallet, gift, platform]);
  const { broker, base } = await startGateway(services);
  const names = ["api-gateway", "platform", "gift"] as const;
  const started = await Promise.all(names.map((name) => NodeProcess.start(name, servers())));
  processes = Object.fromEntries(names.map((name, at) => [name, started[at]])) as typeof processes;
  for (const name of ["platform", "gift"] as const) await waitForNode(broker, name, processes[name].nodeId);
  const [first, second] = await Promise.all([PlatformBackend.open(), PlatformBackend.open()]);
  const other = `http://127.0.0.1:${processes["api-gateway"].ports["api-gateway"]}`;
  backends = [first.at(other), second.at(base)];
  for (const backend of backends)
    await eventually(
      "the gateway lets the key in",
      async () => (await backend.post("wallet/balance", { userId: "77" })).code === 200,
      20_000,
    );
  fans = await Promise.all(Array.from({ length: senders }, () => backends[1].user()));
  await Promise.all(fans.map(({ userId }) => recharge(house, `order-${userId}`, userId, coins)));
});

afterAll(async () => {
  await Promise.all(Object.values(processes ?? {}).map((one) => one.stop()));
  await stopAll();
});

/** As a platform's backend does: what was not answered, or with 503, is sent again, in turn by both gateways and keys. */
function persist(body: object, first: number): Promise<string> {
  const key = randomUUID();
  let tries = first;
  return eventually(
    "the gift is answered",
    async () => {
      const backend = backends[tries++ % 2] as PlatformBackend;
      const send = backend.post<{ orderId: string }>("gifts/send", body, key);
      const answer: Answer<{ orderId: string }> | undefined = await send.catch(() => undefined);
      if (answer?.code === 200) return answer.data.orderId;
      if (answer && answer.status !== 503) throw new Error(`gifts/send answered ${answer.status} ${answer.code}`);
      return undefined;
    },
    answerMs,
  );
}

test("a gateway, a platform and a gift node killed under sends with two keys: each gift is charged once, none is lost", async () => {
  const [, stays] = backends;
  const anchor = await stays.user();
  const externalRoomId = `room ${randomUUID()}`;
  await stays.ask("rooms/open", { externalId: anchor.externalId, externalRoomId, type: 1 });
  const kills = new Map([
    [60, processes["api-gateway"]],
    [100, processes.platform],
    [140, processes.gift],
  ]);
  const killed: Promise<void>[] = [];
  const spent = new Map<string, number>();
  let answered = 0;
  const sending = fans
    .flatMap((fan) => Array.from({ length: lanes }, () => fan))
    .map(async ({ externalId }, lane) => {
      const orderIds: string[] = [];
      for (let n = 0; n < giftsEach; n++) {
        const count = 1 + (n % 3);
        const ids = { externalId, receiverExternalId: anchor.externalId, externalRoomId };
        const body = { ...ids, giftId: 24, count, requestId: requestId() };
        spent.set(externalId, (spent.get(externalId) ?? 0) + count);
        // Each third one goes by both gateways at once, under two idempotency keys: its request id makes it one order.
        const sends = n % 3 === 0 ? [persist(body, 0), persist(body, 1)] : [persist(body, lane)];
        const answers = new Set(await Promise.all(sends));
        expect(answers.size).toBe(1);
        orderIds.push(...answers);
        const dies = kills.get(++answered);
        if (dies) killed.push(dies.kill());
      }
      return orderIds;
    });
  const orderIds = (await Promise.all(sending)).flat();
  await Promise.all(killed);
  expect(killed).toHaveLength(3);
  expect(new Set(orderIds).size).toBe(senders * lanes * giftsEach);
  const outcomes = await settledOrders(orderIds, answerMs);
  expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
  for (const { externalId, userId } of fans)
    expect(await stays.ask("wallet/balance", { externalId })).toMatchObject({
      ...{ externalId, userId, balance: coins - (spent.get(externalId) as number) },
    });
  await expectBooksBalanced();
});
