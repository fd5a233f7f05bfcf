import { limits } from "../../../../config/limits.ts";
import { type GateGift, type GatePorts, GiftGate } from "../../../../services/gift/gate/gift-gate.ts";
import { expectWithin } from "../../../support/in-time.ts";

const { callsInFlight, giftsPerCall, failuresToOpen, openMs } = limits.gift.gate;

const gift = (orderId: string): GateGift => ({
  ...{ orderId, userId: "11", receiverId: "77", roomId: 5, giftId: 22, count: 3, price: 90 },
});
const group = (from: number, count: number) => Array.from({ length: count }, (_one, n) => gift(`o${from + n}`));
const orders = (body: string) => (JSON.parse(body) as { gifts: GateGift[] }).gifts.map(({ orderId }) => orderId);
const answerTo = (body: string, allow: (orderId: string) => boolean = () => true) => ({
  status: 200,
  body: JSON.stringify({ decisions: orders(body).map((orderId) => ({ orderId, allow: allow(orderId) })) }),
});
const inNextTurn = () => new Promise((resolve) => setImmediate(resolve));

function opened(over: Partial<GatePorts> = {}, timeoutMs = 5_000) {
  const bodies: string[] = [];
  const calls = { answered: 0, failures: [] as string[], unasked: [] as string[], states: [] as string[] };
  const clock = { now: 0 };
  const post = over.post ?? (async (body: string) => answerTo(body));
  const gate = new GiftGate(timeoutMs, {
    names: async () => ({ users: new Map(), rooms: new Map() }),
    nowMs: () => clock.now,
    called: (_ms, failure) => (failure === undefined ? calls.answered++ : calls.failures.push(failure)),
    decided: () => {},
    unasked: (why) => calls.unasked.push(why),
    breakerIs: (state) => calls.states.push(state),
    ...over,
    post(body) {
      bodies.push(body);
      return post(body);
    },
  });
  return { gate, bodies, calls, clock };
}

test("a gift is asked about with the platform's ids of its users and its room, where they have one", async () => {
  const names = async () => ({ users: new Map([["11", "u-1"]]), rooms: new Map([[5, "r-5"]]) });
  const { gate, bodies } = opened({ names });
  expect(Object.fromEntries(await gate.ask([gift("o1")]))).toEqual({ o1: "allowed" });
  expect(JSON.parse(bodies[0] as string)).toEqual({
    gifts: [{ ...gift("o1"), externalId: "u-1", externalRoomId: "r-5" }],
  });
});

test("each gift of a group has its own verdict", async () => {
  const post = async () => ({
    status: 200,
    body: JSON.stringify({
      decisions: [
        { orderId: "o1", allow: true },
        { orderId: "o2", allow: false, code: 7 },
      ],
    }),
  });
  const { gate } = opened({ post });
  expect(Object.fromEntries(await gate.ask(group(1, 3)))).toEqual({ o1: "allowed", o2: { code: 7 }, o3: "unanswered" });
});

test("groups that arrive together share calls, of a bounded number of gifts", async () => {
  const { gate, bodies } = opened();
  const answers = await Promise.all([gate.ask(group(0, 10)), gate.ask(group(10, giftsPerCall))]);
  expect(answers.map(({ size }) => size)).toEqual([10, giftsPerCall]);
  expect(bodies.map((body) => orders(body).length)).toEqual([giftsPerCall, 10]);
});

test("a call under way does not delay the next; beyond the bound gifts wait and then share a call", async () => {
  const open: (() => void)[] = [];
  const post = (body: string) =>
    new Promise<{ status: number; body: string }>((resolve) => open.push(() => resolve(answerTo(body))));
  const { gate, bodies } = opened({ post });
  const asked: Promise<unknown>[] = [];
  for (let n = 0; n < callsInFlight + 3; n++) {
    asked.push(gate.ask([gift(`o${n}`)]));
    await inNextTurn();
    await inNextTurn();
  }
  expect(bodies).toHaveLength(callsInFlight);
  open[0]?.();
  await asked[0];
  await inNextTurn();
  await inNextTurn();
  expect(orders(bodies.at(-1) as string)).toHaveLength(3);
  for (const end of open) end();
  await Promise.all(asked);
});

test("nobody waits longer than the time limit: for a call, for a free one, or for the ids", async () => {
  const never = () => new Promise<never>(() => {});
  for (const over of [{ post: never }, { names: never }]) {
    const { gate } = opened(over, 50);
    const begun = performance.now();
    const groups = await Promise.all(Array.from({ length: callsInFlight + 2 }, (_one, n) => gate.ask([gift(`o${n}`)])));
    expect(groups.flatMap((verdicts) => [...verdicts.values()])).toEqual(Array(callsInFlight + 2).fill("unanswered"));
    expectWithin("all verdicts", 5_000, begun);
  }
});

test("ids that cannot be found out leave the gifts unanswered, and the gate is not asked", async () => {
  const { gate, bodies, calls } = opened({ names: () => Promise.reject(new Error("the user service is away")) });
  expect([...(await gate.ask([gift("o1")])).values()]).toEqual(["unanswered"]);
  expect([bodies.length, calls.unasked.length]).toEqual([0, 1]);
});

test.each<[string, GatePorts["post"]]>([
  ["fails", () => Promise.reject(new Error("timed out"))],
  ["answers another status", async (body) => ({ ...answerTo(body), status: 204 })],
  ["redirects", async (body) => ({ ...answerTo(body), status: 302 })],
  ["answers garbage", async () => ({ status: 200, body: "<html>" })],
  ["decides about no gift", async () => ({ status: 200, body: '{"decisions":[{"orderId":"x","allow":true}]}' })],
])(
  "a gate that %s leaves gifts unanswered; after some calls in a row it is not called, until one tries",
  async (_what, post) => {
    let healed = false;
    const { gate, bodies, calls, clock } = opened({
      post: (body) => (healed ? Promise.resolve(answerTo(body)) : post(body)),
    });
    for (let n = 0; n < failuresToOpen + 5; n++)
      expect([...(await gate.ask([gift(`o${n}`)])).values()]).toEqual(["unanswered"]);
    expect([bodies.length, calls.failures.length]).toEqual([failuresToOpen, failuresToOpen]);
    expect(calls.states).toEqual(["open"]);
    clock.now = openMs;
    await gate.ask([gift("try")]);
    expect(calls.states).toEqual(["open", "halfOpen", "open"]);
    clock.now = 2 * openMs;
    healed = true;
    expect([...(await gate.ask([gift("again")])).values()]).toEqual(["allowed"]);
    expect(calls.states.at(-1)).toBe("closed");
  },
);

test("while one call tries, the other gifts do not wait for it", async () => {
  let answer: (() => void) | undefined;
  let hangs = false;
  const post = (body: string) =>
    hangs
      ? new Promise<{ status: number; body: string }>((resolve) => {
          answer = () => resolve(answerTo(body));
        })
      : Promise.reject(new Error("refused"));
  const { gate, clock } = opened({ post });
  for (let n = 0; n < failuresToOpen; n++) await gate.ask([gift(`o${n}`)]);
  clock.now = openMs;
  hangs = true;
  const tried = gate.ask([gift("try")]);
  await inNextTurn();
  await inNextTurn();
  expect([...(await gate.ask([gift("other")])).values()]).toEqual(["unanswered"]);
  answer?.();
  expect([...(await tried).values()]).toEqual(["allowed"]);
});
