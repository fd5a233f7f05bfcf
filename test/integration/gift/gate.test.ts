import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { mayHaveHappened } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import type { OpenGate } from "../../../services/gift/gate/open-gate.ts";
import type { GiftAnswer } from "../../../services/gift/gift.contract.ts";
import gift from "../../../services/gift/gift.service.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { GateReceiver } from "../../support/gate-receiver.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { settledOrders, tradesOfUser } from "../../support/outcomes.ts";
import { recharge } from "../../support/recharge.ts";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { tokenOf } from "../../support/tokens.ts";
import { send, startGateway } from "../api-gateway/neighbours.ts";

/**
 * The gate in front of gift nodes of which one accepts gifts about which it does not answer, and the other refuses them;
 * two more have little patience. Its receiver is an HTTP server of this test, which verifies each call by the Standard
 * Webhooks library.
 */

jest.setTimeout(60_000);

/** Of the nodes with little patience; the others wait as long as they may, since the machine may be busy. */
const timeoutMs = 200;
const anchor = "9000000000000000077";
const secret = `whsec_${randomBytes(32).toString("base64")}`;
const receiver = new GateReceiver(secret);
let nextUser = 9_000_000_000_000_030_000n;

const rooms = liveRooms((roomId) => (roomId === 5 ? anchor : undefined)) as unknown as { actions: object };
const neighbours = [
  {
    name: "user",
    actions: {
      revocations: () => ({ list: [], now: Date.now(), next: null }),
      ...restrictionsFake.actions,
      externalIdsOf: ({ params }: { params: { userIds: string[] } }) => ({
        list: params.userIds
          .filter((userId) => userId !== anchor)
          .map((userId) => ({ userId, externalId: `u-${userId}` })),
      }),
    },
  },
  { ...rooms, actions: { ...rooms.actions, externalIdsOf: () => ({ list: [{ roomId: 5, externalRoomId: "r-5" }] }) } },
  { name: "im-router", actions: { roomGifts: () => null } },
] as unknown as ServiceSchema[];

const choices = ["accept", "refuse"] as const;
type Choice = (typeof choices)[number];

let caller: ServiceBroker;
let base: string;
let nodes: Record<Choice | `${Choice} soon`, ServiceBroker>;

beforeAll(async () => {
  await receiver.start();
  Object.assign(process.env, { GIFT_GATE_URL: receiver.url, GIFT_GATE_SECRET: secret });
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  const startGift = async (choice: Choice, patienceMs: number) => {
    // Read when the service is created.
    Object.assign(process.env, { GIFT_GATE_ON_FAILURE: choice, GIFT_GATE_TIMEOUT_MS: String(patienceMs) });
    return startNode(`gift-${choice}-${patienceMs}`, [gift]);
  };
  const { timeoutMaxMs } = limits.gift.gate;
  nodes = {
    ...{ accept: await startGift("accept", timeoutMaxMs), refuse: await startGift("refuse", timeoutMaxMs) },
    ...{ "accept soon": await startGift("accept", timeoutMs), "refuse soon": await startGift("refuse", timeoutMs) },
  };
  const seen = ["user", "gift", "wallet", "living-room", "im-router"];
  ({ base } = await startGateway(seen));
  caller = await startNode("caller", []);
  await caller.waitForServices(seen);
  for (const { nodeID } of Object.values(nodes))
    await eventually(`${nodeID} is seen`, () => caller.registry.hasService("gift", nodeID));
});
afterEach(async () => {
  receiver.reset();
  await expectBooksBalanced();
});
afterAll(async () => {
  await stopAll();
  await receiver.kill();
  for (const name of ["GIFT_GATE_URL", "GIFT_GATE_SECRET", "GIFT_GATE_ON_FAILURE", "GIFT_GATE_TIMEOUT_MS"])
    delete process.env[name];
  expect(receiver.forged).toEqual([]);
});

async function richUser(coins = 100_000): Promise<string> {
  const user = String(++nextUser);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

const one = <Over extends object>(userId: string, over?: Over) => ({
  ...{ userId, giftId: 24, roomId: 5, receiverId: anchor, requestId: `gate-${randomUUID()}` },
  ...(over as Over),
});
const sendMany = async (choice: keyof typeof nodes, gifts: unknown[]): Promise<GiftAnswer[]> =>
  (await call(caller, "gift.sendMany", { gifts }, { nodeID: nodes[choice].nodeID })).answers;
const outcomeOf = (answer: GiftAnswer | undefined) => {
  if (!answer || "orderId" in answer) return "accepted";
  return mayHaveHappened({ type: answer.failure, data: answer.data }) ? `${answer.failure}?` : answer.failure;
};
const ordersIn = (given: readonly GiftAnswer[]) =>
  given.flatMap((answer) => ("orderId" in answer ? answer.orderId : []));

/** What a gift becomes while the gate does not answer. */
const withoutAnswer = { accept: "accepted", refuse: "unavailable" } as const;

test.each(choices)(
  "one group of allowed and refused gifts: each has its own answer, what is refused costs nothing (%s)",
  async (choice) => {
    const user = await richUser();
    receiver.decide = ({ orderId, count }) => ({
      orderId,
      allow: count % 2 === 1,
      code: 42_000 + count,
      msg: `no ${count}`,
    });
    const gifts = Array.from({ length: 20 }, (_one, n) => one(user, { count: n + 1 }));
    const given = await sendMany(choice, gifts);
    expect(given.map(outcomeOf)).toEqual(gifts.map(({ count }) => (count % 2 === 1 ? "accepted" : "giftGated")));
    expect(given[1]).toEqual({ failure: "giftGated", data: { code: 42_002, msg: "no 2" } });
    await settledOrders(ordersIn(given));
    expect((await tradesOfUser(user)).filter(({ type }) => type === 0)).toHaveLength(10);
    expect(receiver.calls).toHaveLength(1);
    expect(receiver.asked[2]).toEqual({
      ...{ orderId: ordersIn(given)[1], userId: user, externalId: `u-${user}`, receiverId: anchor },
      ...{ roomId: 5, externalRoomId: "r-5", giftId: 24, count: 3, price: expect.any(Number) },
    });
  },
);

test("a repeat of an accepted gift is not asked about; a repeat of a refused one is, and may be allowed then", async () => {
  const user = await richUser();
  const [allowed, refused] = [one(user), one(user, { count: 2 })];
  receiver.decide = ({ orderId, count }) => ({ orderId, allow: count === 1 });
  const first = await sendMany("refuse", [allowed, refused, refused]);
  expect(first.map(outcomeOf)).toEqual(["accepted", "giftGated", "giftGated"]);
  expect(receiver.asked).toHaveLength(2);
  await settledOrders(ordersIn(first));
  receiver.reset();
  const again = await sendMany("refuse", [allowed, refused]);
  expect(again[0]).toEqual(first[0]);
  expect(outcomeOf(again[1])).toBe("accepted");
  expect(receiver.asked.map(({ count }) => count)).toEqual([2]);
  await settledOrders(ordersIn(again));
});

test("what fails a cheap check is not asked about", async () => {
  const [rich, poor] = [await richUser(), String(++nextUser)];
  const gifts = [one(rich, { giftId: 999 }), one(rich, { roomId: 6 }), one(rich, { receiverId: rich }), one(poor)];
  expect((await sendMany("refuse", gifts)).map(outcomeOf)).toEqual([
    "giftUnknown",
    "roomNotLive",
    "giftToSelf",
    "balanceShort",
  ]);
  expect(receiver.calls).toEqual([]);
});

test("a client sees a refusal as 10006 with the platform's code and text, and without one with ours", async () => {
  const user = await richUser();
  const post = (count: number) => {
    const { userId: _user, ...body } = one(user, { count });
    const headers = { Authorization: `Bearer ${tokenOf(user)}`, "Accept-Language": "en" };
    return send(`${base}/live/api/gift/send`, { headers, body });
  };
  receiver.decide = ({ orderId, count }) =>
    count === 1
      ? { orderId, allow: false, code: 42_001, msg: "今天不能送礼\n" }
      : { orderId, allow: false, code: "10010" };
  const [own, ours] = await Promise.all([post(1), post(2)]);
  expect(own).toMatchObject({
    status: 200,
    code: 10006,
    msg: "今天不能送礼",
    data: { code: 42_001, msg: "今天不能送礼" },
  });
  expect(ours).toMatchObject({ status: 200, code: 10006, msg: "the gift was not allowed", data: {} });
});

describe.each(choices)("a gate that does not answer well, on the node that is to %s", (choice) => {
  test("early close, redirect, garbage, another status, decisions that are missing, doubled or malformed", async () => {
    let visits = 0;
    const inside = new GateReceiver(secret);
    inside.behave = (response) => {
      visits++;
      response.end();
    };
    await inside.start();
    const user = await richUser();
    const odd: [string, () => void][] = [
      [
        "early close",
        () => {
          receiver.behave = (response) =>
            void response.writeHead(200, { "content-length": 9_999 }).write("{", () => response.destroy());
        },
      ],
      [
        "redirect",
        () => {
          receiver.behave = (response) => void response.writeHead(307, { location: inside.url }).end();
        },
      ],
      [
        "garbage",
        () => {
          receiver.behave = (response) => void response.end("<html>");
        },
      ],
      [
        "500",
        () => {
          receiver.behave = (response, answer) => void response.writeHead(500).end(answer);
        },
      ],
      [
        "missing",
        () => {
          receiver.decide = () => undefined;
        },
      ],
      [
        "malformed",
        () => {
          receiver.decide = ({ orderId }) => ({ orderId, allow: "yes" });
        },
      ],
      [
        "doubled",
        () => {
          receiver.behave = (response, answer) => void response.end(answer.replace("[", `[${answer.slice(14, -2)},`));
        },
      ],
    ];
    for (const [what, misbehave] of odd) {
      misbehave();
      const given = await sendMany(choice, [one(user)]);
      expect([what, ...given.map(outcomeOf)]).toEqual([what, withoutAnswer[choice]]);
      await settledOrders(ordersIn(given));
      receiver.reset();
      // It answers in between, so that the breaker stays closed.
      expect((await sendMany(choice, [one(user)])).map(outcomeOf)).toEqual(["accepted"]);
      expect([what, receiver.calls.length]).toEqual([what, 1]);
    }
    expect(visits).toBe(0);
    await inside.kill();
  });

  test("killed in the middle, and started again", async () => {
    const user = await richUser();
    receiver.behave = () => void receiver.kill();
    const given = [...(await sendMany(choice, [one(user)])), ...(await sendMany(choice, [one(user)]))];
    expect(given.map(outcomeOf)).toEqual(Array(2).fill(withoutAnswer[choice]));
    await eventually("it is gone", () => receiver.kill().then(() => true));
    receiver.reset();
    await receiver.start();
    const again = await sendMany(choice, [one(user), one(user)]);
    expect([...again.map(outcomeOf), receiver.asked.length]).toEqual(["accepted", "accepted", 2]);
    await settledOrders(ordersIn([...given, ...again]));
  });

  test("hanging under 200 gifts a second: no group waits beyond the time limit, then none waits; it heals by itself", async () => {
    const node = `${choice} soon` as const;
    const waited = timesOfAsking(nodes[node]);
    const users = await Promise.all(Array.from({ length: 10 }, () => richUser()));
    receiver.behave = () => {};
    const sent: Promise<GiftAnswer[]>[] = [];
    const startedAt = performance.now();
    for (let n = 1; n <= 40; n++) {
      sent.push(
        sendMany(
          node,
          users.map((user) => one(user)),
        ),
      );
      await pause(Math.max(0, n * 50 - (performance.now() - startedAt)));
    }
    const given = (await Promise.all(sent)).flat();
    expect(given.filter((answer) => outcomeOf(answer) !== withoutAnswer[choice])).toEqual([]);
    // What is above the time limit is this busy process's own.
    expect(Math.max(...waited)).toBeLessThan(timeoutMs + 6_000);
    // The breaker is open: few calls were made, and the later groups did not wait for one.
    expect(receiver.calls.length).toBeLessThan(limits.gift.gate.failuresToOpen + 3 * limits.gift.gate.callsInFlight);
    expect(waited.slice(-10).toSorted((x, y) => x - y)[5]).toBeLessThan(timeoutMs / 2);
    receiver.reset();
    await eventually("it is asked again", async () => {
      const answers = await sendMany(node, [one(users[0] as string)]);
      return answers.map(outcomeOf)[0] === "accepted" && receiver.calls.length > 0;
    });
    await settledOrders(ordersIn(given));
  });
});

/** How long the node's gate takes for each group from here on, ms. */
function timesOfAsking(node: ServiceBroker): number[] {
  const { gate } = (node.getLocalService("gift") as unknown as GiftState).gate as OpenGate;
  const times: number[] = [];
  const ask = gate.ask.bind(gate);
  gate.ask = async (gifts) => {
    const startedAt = performance.now();
    try {
      return await ask(gifts);
    } finally {
      times.push(performance.now() - startedAt);
    }
  };
  return times;
}
