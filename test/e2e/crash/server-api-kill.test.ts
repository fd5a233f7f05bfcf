import { randomUUID } from "node:crypto";
import type { Child } from "../../../scripts/children.ts";
import { type Answer, type Person, requestId } from "../../support/client.ts";
import { startExtraNode } from "../../support/cluster-nodes.ts";
import { crowd } from "../../support/crowd.ts";
import { eventually } from "../../support/eventually.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { PlatformBackend } from "../../support/platform-backend.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

/**
 * The server API in many processes, of which this file kills some under sends. They are nodes of its own, so that the
 * cluster is for other files as it was.
 */
const inCluster = process.env.TOPOLOGY === "cluster" ? describe : describe.skip;

const senders = 6;
const lanes = 4;
const giftsEach = 12;
const all = senders * lanes * giftsEach;
const answerMs = 60_000;

type Sent = Answer<{ orderId: string }>;

inCluster("the server API of a cluster whose nodes are killed", () => {
  jest.setTimeout(150_000);

  const extras = new Map<string, Child>();
  /** By way of the gateway that is killed, and of the one that stays; each with an API key of its own. */
  let backends: [PlatformBackend, PlatformBackend];
  let people: Person[] = [];

  beforeAll(async () => {
    process.env.API_PORT = "0";
    const labels = [
      ["api-gateway", "gateway-killed"],
      ["gift", "gift-killed"],
      ["gift", "gift-stays"],
      ["platform", "platform-killed"],
    ] as const;
    for (const [service, label] of labels) extras.set(label, startExtraNode(service, label));
    const ready = Promise.all([...extras.values()].map((extra) => extra.ready));
    const [first, second] = await Promise.all([PlatformBackend.open(), PlatformBackend.open()]);
    people = await crowd(senders);
    await ready;
    const about = JSON.parse((await extras.get("gateway-killed")?.ready)?.[1] ?? "{}") as {
      ports: Record<string, number>;
    };
    backends = [first.at(`http://127.0.0.1:${about.ports["api-gateway"]}`), second];
    for (const backend of backends)
      await eventually("the gateway lets the key in", async () => (await backend.post("gifts/list", {})).code === 200);
  });

  afterAll(async () => {
    await Promise.all([...extras.values()].map((extra) => extra.stop(20_000)));
    await expectWholeBooksBalanced();
  });

  const kill = (label: string) => process.kill(extras.get(label)?.pid as number, "SIGKILL");

  /** As a platform's backend does: what was not answered, or with 503, is sent again, in turn by both gateways and keys. */
  async function persist(gift: object, at: number): Promise<string> {
    const key = randomUUID();
    let tries = at;
    return eventually(
      "the gift is answered",
      async () => {
        const backend = backends[tries++ % 2] as PlatformBackend;
        const answer: Sent | undefined = await backend
          .post<{ orderId: string }>("gifts/send", gift, key)
          .catch(() => undefined);
        if (answer?.code === 200) return answer.data.orderId;
        if (answer && answer.status !== 503) throw new Error(`gifts/send answered ${answer.status} ${answer.code}`);
        return undefined;
      },
      answerMs,
    );
  }

  test("a gateway, a gift and a platform node killed under sends with two keys: each gift is charged once", async () => {
    const [, stays] = backends;
    const anchor = await stays.user();
    const externalRoomId = `room ${randomUUID()}`;
    await stays.ask("rooms/open", { externalId: anchor.externalId, externalRoomId, type: 1 });
    const at: Record<number, string> = { 60: "gateway-killed", 100: "platform-killed", 140: "gift-killed" };
    const spent = new Map<string, number>();
    let answered = 0;
    const sent = people
      .flatMap((person) => Array.from({ length: lanes }, () => person))
      .map(async ({ userId }, lane) => {
        const orderIds: string[] = [];
        for (let n = 0; n < giftsEach; n++) {
          const gift = {
            ...{ userId, receiverExternalId: anchor.externalId, externalRoomId },
            ...{ giftId: 24, count: 1 + (n % 3), requestId: requestId() },
          };
          spent.set(userId, (spent.get(userId) ?? 0) + gift.count);
          // Each third one goes by both gateways at once, under two idempotency keys: the request id makes it one.
          const twins = n % 3 === 0 ? [persist(gift, 0), persist(gift, 1)] : [persist(gift, lane)];
          const [orderId, twin = orderId] = (await Promise.all(twins)) as [string, string?];
          expect(twin).toBe(orderId);
          orderIds.push(orderId);
          const label = at[++answered];
          if (label) kill(label);
        }
        return orderIds;
      });
    const orderIds = (await Promise.all(sent)).flat();
    expect(new Set(orderIds).size).toBe(all);
    const outcomes = await settledOrders(orderIds, answerMs);
    expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
    for (const { userId } of people)
      expect(await stays.ask("wallet/balance", { userId })).toMatchObject({
        balance: 1_000 - (spent.get(userId) as number),
      });
  });
});
