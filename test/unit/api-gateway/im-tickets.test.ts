import { EventEmitter } from "node:events";
import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { ImTickets, imTickets } from "../../../services/api-gateway/im-tickets.ts";

/** Routers whose answers are held back until `answer`. */
function heldRouters(ids: readonly string[] = ["r1"], nodeID = "gateway") {
  const calls: { userIds: string[]; nodeID: string | undefined; settle: PromiseWithResolvers<unknown> }[] = [];
  let tokens = 0;
  const broker = {
    nodeID,
    localBus: new EventEmitter(),
    registry: { getServiceList: () => ids.map((id) => ({ name: "im-router", nodeID: id })), getNodeList: () => [] },
    call: (_action: string, { userIds }: { userIds: string[] }, { nodeID }: { nodeID?: string }) => {
      const settle = Promise.withResolvers<unknown>();
      calls.push({ userIds, nodeID, settle });
      return settle.promise;
    },
  } as unknown as ServiceBroker;
  const answer = () => {
    for (const { userIds, settle } of calls)
      settle.resolve({ tickets: userIds.map((userId) => ({ address: `ws://of-${userId}`, token: `t${++tokens}` })) });
  };
  return { broker, calls, answer, tickets: new ImTickets(broker) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a single request is a call at once; those that arrive while calls run share the next, each with a token of its own", async () => {
  const { calls, answer, tickets } = heldRouters();
  const first: Promise<unknown>[] = [];
  for (let i = 0; i < limits.im.ticketCallsInFlight; i++) {
    first.push(tickets.get("1"));
    await turn();
  }
  expect(calls.map(({ userIds }) => userIds)).toEqual(first.map(() => ["1"]));
  const users = Array.from({ length: limits.im.ticketsPerCall + 30 }, (_, i) => String(100 + (i % 200)));
  const later = users.map((userId) => tickets.get(userId));
  await turn();
  expect(calls).toHaveLength(first.length);
  answer();
  await Promise.all(first);
  await turn();
  expect(calls.slice(first.length).map(({ userIds }) => userIds.length)).toEqual([limits.im.ticketsPerCall, 30]);
  answer();
  const got = await Promise.all(later);
  expect(got.map(({ address }) => address)).toEqual(users.map((userId) => `ws://of-${userId}`));
  expect(new Set(got.map(({ token }) => token)).size).toBe(users.length);
});

test("where the router does not answer, the group is asked for once more, and then it is unavailable", async () => {
  const { calls, tickets } = heldRouters();
  const both = Promise.allSettled([tickets.get("1"), tickets.get("2")]);
  await turn();
  calls[0]?.settle.reject(fail("unavailable", { what: "im-router" }));
  await turn();
  expect(calls.map(({ userIds }) => userIds)).toEqual([
    ["1", "2"],
    ["1", "2"],
  ]);
  calls[1]?.settle.reject(fail("unavailable", { what: "im-router" }));
  expect(await both).toMatchObject([
    { status: "rejected", reason: { type: "unavailable" } },
    { status: "rejected", reason: { type: "unavailable" } },
  ]);
});

test("who has waited too long is rejected without a call, and those who came later are served", async () => {
  const { calls, answer, tickets } = heldRouters();
  const clock = jest.spyOn(performance, "now").mockReturnValue(0);
  const running: Promise<unknown>[] = [];
  for (let i = 0; i < limits.im.ticketCallsInFlight; i++) {
    running.push(tickets.get("1"));
    await turn();
  }
  const [early, late] = [tickets.get("2"), tickets.get("3")];
  clock.mockReturnValue(limits.im.ticketWaitMs);
  const later = tickets.get("4");
  clock.mockReturnValue(limits.im.ticketWaitMs + 1);
  const refused = Promise.allSettled([early, late]);
  answer();
  await Promise.all(running);
  await turn();
  expect(calls.at(-1)?.userIds).toEqual(["4"]);
  answer();
  expect(await refused).toMatchObject([{ reason: { type: "unavailable" } }, { reason: { type: "unavailable" } }]);
  expect(await later).toMatchObject({ address: "ws://of-4" });
  clock.mockRestore();
});

test("who waits is rejected when the time is over, also while no call ends; who is in a call is not", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick"] });
  try {
    const { calls, answer, tickets } = heldRouters();
    const running: Promise<unknown>[] = [];
    for (let i = 0; i < limits.im.ticketCallsInFlight; i++) {
      running.push(tickets.get("1"));
      await turn();
    }
    const refused = expect(tickets.get("2")).rejects.toMatchObject({ type: "unavailable" });
    jest.advanceTimersByTime(limits.im.ticketWaitMs);
    await refused;
    expect(calls).toHaveLength(running.length);
    answer();
    expect(await Promise.all(running)).toHaveLength(running.length);
  } finally {
    jest.useRealTimers();
  }
});

test("beyond the bound a request is unavailable at once, until one is answered", async () => {
  const { calls, answer, tickets } = heldRouters();
  const waiting = Array.from({ length: limits.im.ticketsWaiting }, (_, i) => tickets.get(String(i)));
  await expect(tickets.get("more")).rejects.toMatchObject({ type: "unavailable" });
  while (calls.reduce((sum, { userIds }) => sum + userIds.length, 0) < waiting.length) {
    await turn();
    answer();
  }
  await Promise.all(waiting);
  const again = tickets.get("more");
  await turn();
  answer();
  expect(await again).toMatchObject({ address: "ws://of-more" });
});

test("a router that did not answer is not asked again for some seconds, neither by the second try nor by later calls", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate", "nextTick"] });
  try {
    const { calls, answer, tickets } = heldRouters(["r1", "r2", "r3"]);
    const first = tickets.get("1");
    await turn();
    const hangs = calls[0]?.nodeID;
    calls[0]?.settle.reject(fail("unavailable", { what: "im-router" }));
    await turn();
    answer();
    await first;
    const ask = async (times: number) => {
      for (let i = 0; i < times; i++) {
        const got = tickets.get("2");
        await turn();
        answer();
        await got;
      }
      return new Set(calls.slice(-times).map(({ nodeID }) => nodeID));
    };
    const others = ["r1", "r2", "r3"].filter((id) => id !== hangs);
    expect(others).toContain(calls[1]?.nodeID);
    expect([...(await ask(6))].sort()).toEqual(others);
    jest.advanceTimersByTime(limits.im.routerLeftOutMs);
    expect([...(await ask(6))].sort()).toEqual(["r1", "r2", "r3"]);
  } finally {
    jest.useRealTimers();
  }
});

test("a router of this node is asked alone", async () => {
  const { calls, answer, tickets } = heldRouters(["a", "own", "z"], "own");
  for (let i = 0; i < 4; i++) {
    const got = tickets.get("1");
    await turn();
    answer();
    await got;
  }
  expect(calls.map(({ nodeID }) => nodeID)).toEqual(["own", "own", "own", "own"]);
});

test("all requests of a gateway share its groups", () => {
  const { broker } = heldRouters();
  expect(imTickets(broker)).toBe(imTickets(broker));
  expect(imTickets(heldRouters().broker)).not.toBe(imTickets(broker));
});
