import { Errors } from "moleculer";
import { failureName, mayHaveHappened } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { nodeOfPartition } from "../../../mixins/jetstream/partitions.ts";
import { GiftGroups, type GiftParams } from "../../../services/api-gateway/gift-groups.ts";
import type { GiftAnswer } from "../../../services/gift/gift.contract.ts";
import { partitionOf } from "../../../services/gift-partitions.ts";

const gift = (userId: number): GiftParams => ({ userId: String(userId), giftId: 22, roomId: 5, receiverId: "77" });

interface Group {
  nodeId: string;
  gifts: readonly GiftParams[];
  requestId: string | undefined;
  /** Ends the call: with an answer for each gift, made of its sender. */
  answer(): void;
  fail(error: unknown): void;
}

const orderOf = ({ userId }: GiftParams): GiftAnswer => ({ orderId: `order-${userId}` });

function world(nodeIds: string[] = ["gift-1"]) {
  const groups: Group[] = [];
  let nodes = nodeIds;
  const scheduled: (() => void)[] = [];
  const clock = { nowMs: 1_000 };
  const timers = new Set<{ callback: () => void; at: number }>();
  const sender = new GiftGroups({
    nodes: () => nodes,
    leaveOut: (nodeId) => {
      const others = nodes.filter((id) => id !== nodeId);
      if (others.length > 0) nodes = others;
    },
    sendMany: (nodeId, gifts, requestId) =>
      new Promise((resolve, fail) => {
        groups.push({ nodeId, gifts, requestId, fail, answer: () => resolve(gifts.map(orderOf)) });
      }),
    soon: (callback) => scheduled.push(callback),
    later: (callback, ms) => {
      const timer = { callback, at: clock.nowMs + ms };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    nowMs: () => clock.nowMs,
    staleMs: 4_000,
  });
  /** Time passes, and the timers that are due call back. */
  const pass = async (ms: number) => {
    clock.nowMs += ms;
    for (const timer of [...timers].filter(({ at }) => at <= clock.nowMs)) {
      timers.delete(timer);
      timer.callback();
    }
    await turn();
  };
  /** The rest of this turn of the event loop, and what follows of promises. */
  const turn = async () => {
    for (const callback of scheduled.splice(0)) callback();
    await new Promise((resolve) => setImmediate(resolve));
    for (const callback of scheduled.splice(0)) callback();
  };
  const sizes = () => groups.map(({ gifts }) => gifts.length);
  return { sender, groups, sizes, turn, clock, timers, pass };
}

const outcome = (answer: Promise<GiftAnswer>) => answer.catch((error: unknown) => failureName(error) ?? error);

const { groupsInFlight, groupGifts, groupFreshMs, groupsInFlightMax, groupWaitingGifts, groupWaitingGiftsOfUser } =
  limits.gift;

test("a single gift is sent at once; those that arrive together are sent together, each with its own answer", async () => {
  const { sender, groups, turn } = world();
  const lone = sender.send(gift(1), "r-1");
  await turn();
  expect(groups).toMatchObject([{ nodeId: "gift-1", requestId: "r-1", gifts: [{ userId: "1" }] }]);
  const together = [2, 3].map((user) => sender.send(gift(user), `r-${user}`));
  await turn();
  expect(groups[1]?.gifts.map(({ userId }) => userId)).toEqual(["2", "3"]);
  for (const group of groups) group.answer();
  expect(await Promise.all([lone, ...together])).toEqual([1, 2, 3].map((user) => orderOf(gift(user))));
});

test("while enough groups are unanswered the next gifts wait, and are sent when one of those is answered", async () => {
  const { sender, groups, sizes, turn } = world();
  for (let n = 0; n < groupsInFlight; n++) {
    void sender.send(gift(n + 1));
    await turn();
  }
  const gathered = Array.from({ length: 5 }, (_, n) => sender.send(gift(10 + n)));
  await turn();
  expect(sizes()).toEqual(Array(groupsInFlight).fill(1));
  groups[0]?.answer();
  await turn();
  expect(sizes().slice(groupsInFlight)).toEqual([5]);
  groups.at(-1)?.answer();
  expect(await Promise.all(gathered)).toHaveLength(5);
});

test("a group has a bounded number of gifts; its parameters are far below a message's bytes", async () => {
  const { sender, groups, sizes, turn } = world();
  for (let n = 0; n < groupGifts + 1; n++) void sender.send(gift(n + 1));
  await turn();
  expect(sizes()).toEqual([groupGifts, 1]);
  const largest = { ...gift(1), userId: "18446744073709551615", receiverId: "18446744073709551615", count: 9_999 };
  const whole = {
    ...largest,
    giftId: 2 ** 53,
    roomId: 2 ** 53,
    type: 1,
    requestId: "x".repeat(64),
    orderId: "x".repeat(36),
  };
  expect(JSON.stringify(whole).length * groupGifts).toBeLessThan(limits.bus.listBytes);
  for (const group of groups) group.answer();
});

test("groups that take long do not delay the others, up to a bound", async () => {
  const { sender, sizes, turn, clock } = world();
  for (let n = 1; n <= groupsInFlightMax + 5; n++) {
    void sender.send(gift(n));
    await turn();
    clock.nowMs += groupFreshMs;
  }
  expect(sizes()).toHaveLength(groupsInFlightMax);
});

test("where all unanswered groups take long, a waiting gift is sent once the oldest of them has taken too long; only then a timer runs", async () => {
  const { sender, groups, sizes, turn, timers, pass } = world();
  for (let n = 0; n < groupsInFlight; n++) {
    void sender.send(gift(1));
    await turn();
    expect(timers.size).toBe(0);
    await pass(10);
  }
  const waiting = [sender.send(gift(2)), sender.send(gift(3))];
  await turn();
  expect(timers.size).toBe(1);
  await pass(groupFreshMs - 10 * groupsInFlight - 1);
  expect([sizes().length, timers.size]).toEqual([groupsInFlight, 1]);
  await pass(1);
  expect([sizes().slice(groupsInFlight), timers.size]).toEqual([[2], 0]);
  groups.at(-1)?.answer();
  await Promise.all(waiting);
  // A timer that is no longer needed is stopped.
  void sender.send(gift(4));
  await turn();
  void sender.send(gift(5));
  await turn();
  const [more] = [sender.send(gift(6)), await turn()];
  expect(timers.size).toBe(1);
  groups.at(-1)?.answer();
  await turn();
  expect(timers.size).toBe(0);
  groups.at(-1)?.answer();
  expect(await more).toEqual(orderOf(gift(6)));
});

test("while the greatest number of groups is unanswered no timer runs: only an answer makes room", async () => {
  const { sender, groups, sizes, turn, timers, pass } = world();
  for (let n = 1; n <= groupsInFlightMax; n++) {
    void sender.send(gift(n));
    await turn();
    await pass(groupFreshMs);
  }
  void sender.send(gift(1));
  await turn();
  expect([sizes().length, timers.size]).toEqual([groupsInFlightMax, 0]);
  groups[0]?.answer();
  await turn();
  expect(sizes()).toHaveLength(groupsInFlightMax + 1);
});

test("gifts of one user beyond those that may wait are refused at once, certainly not accepted; others' and later ones are sent", async () => {
  const { sender, groups, turn } = world();
  for (let n = 0; n < groupsInFlight; n++) {
    void sender.send(gift(1));
    await turn();
  }
  const own = Array.from({ length: groupWaitingGiftsOfUser }, () => sender.send(gift(1)));
  const error = await sender.send(gift(1)).catch((reason: unknown) => reason);
  expect([failureName(error), mayHaveHappened(error)]).toEqual(["unavailable", false]);
  const other = sender.send(gift(2));
  groups[0]?.answer();
  await turn();
  groups.at(-1)?.answer();
  expect(await Promise.all([...own, other])).toHaveLength(groupWaitingGiftsOfUser + 1);
  const again = sender.send(gift(1));
  await turn();
  groups.at(-1)?.answer();
  expect(await again).toEqual(orderOf(gift(1)));
});

test("gifts beyond those that may wait are refused at once, certainly not accepted", async () => {
  const { sender, turn } = world();
  for (let n = 0; n < groupsInFlight; n++) {
    void sender.send(gift(1));
    await turn();
  }
  for (let n = 0; n < groupWaitingGifts; n++) void sender.send(gift(n + 2));
  const error = await sender.send(gift(1)).catch((reason: unknown) => reason);
  expect([failureName(error), mayHaveHappened(error)]).toEqual(["unavailable", false]);
});

test("a gift that has waited for half of a call's time is refused, not sent: its client would give up before the answer", async () => {
  const { sender, groups, sizes, turn, clock } = world();
  for (let n = 0; n < groupsInFlight; n++) {
    void sender.send(gift(1));
    await turn();
  }
  const old = outcome(sender.send(gift(1)));
  clock.nowMs += 100;
  const young = outcome(sender.send(gift(3)));
  clock.nowMs += 4_000 - 50;
  groups[0]?.answer();
  await turn();
  expect(await old).toBe("unavailable");
  expect(sizes().slice(groupsInFlight)).toEqual([1]);
  groups.at(-1)?.answer();
  expect(await young).toEqual(orderOf(gift(3)));
});

test("each sender's gifts are sent to the node that pulls the sender's partition", async () => {
  const nodes = ["gift-1", "gift-2", "gift-3"];
  const { sender, groups, turn } = world(nodes);
  for (let user = 1; user <= 40; user++) void sender.send(gift(user));
  await turn();
  expect(groups.map(({ nodeId }) => nodeId).sort()).toEqual(nodes);
  for (const { nodeId, gifts } of groups)
    for (const { userId } of gifts) expect(nodeOfPartition(partitionOf(userId), nodes)).toBe(nodeId);
});

const gone = () => new Errors.ServiceNotFoundError({ action: "gift.sendMany", nodeID: "gift-1" });

test("a group that reached no service is sent to another node, gifts without a request id too; with no other node it fails", async () => {
  const { sender, groups, turn } = world(["gift-1", "gift-2"]);
  const sent = [1, 8, 16].map((user) => outcome(sender.send(gift(user))));
  await turn();
  const first = groups.find(({ nodeId }) => nodeId === "gift-1");
  first?.fail(gone());
  await turn();
  expect(groups.at(-1)).toMatchObject({ nodeId: "gift-2", gifts: first?.gifts });
  groups.at(-1)?.fail(gone());
  groups.find(({ nodeId, gifts }) => nodeId === "gift-2" && gifts.length === 1)?.answer();
  const ends = await Promise.all(sent);
  expect(ends[0]).toEqual(orderOf(gift(1)));
  expect(ends.slice(1)).toMatchObject([{ type: "SERVICE_NOT_FOUND" }, { type: "SERVICE_NOT_FOUND" }]);
});

test("a group whose node went away without an answer is sent to another node, once: its gifts have business ids", async () => {
  const { sender, groups, turn } = world(["gift-1", "gift-2", "gift-3"]);
  const ended = outcome(sender.send(gift(1), "r-1"));
  await turn();
  const gone = (nodeID: string) => new Errors.RequestRejectedError({ action: "gift.sendMany", nodeID });
  groups[0]?.fail(gone(groups[0].nodeId));
  await turn();
  expect(groups.map(({ nodeId }) => nodeId)).toEqual([
    groups[0]?.nodeId,
    expect.not.stringContaining(groups[0]?.nodeId ?? ""),
  ]);
  groups[1]?.fail(gone(groups[1].nodeId));
  await turn();
  expect(groups).toHaveLength(2);
  expect(await ended).toMatchObject({ type: "REQUEST_REJECTED" });
});

test("what another node cannot tell of a gift whose first node went away stays unknown: it may be accepted", async () => {
  const { sender, groups, turn } = world(["gift-1", "gift-2"]);
  const lost = outcome(sender.send(gift(1)));
  await turn();
  groups[0]?.fail(new Errors.RequestRejectedError({ action: "gift.sendMany", nodeID: groups[0].nodeId }));
  await turn();
  groups[1]?.fail(gone());
  await turn();
  expect(mayHaveHappened(await lost)).toBe(true);
});

test("a group that was not answered may be accepted: it is sent to no other node", async () => {
  const { sender, groups, turn } = world(["gift-1", "gift-2"]);
  const sent = outcome(sender.send(gift(8)));
  await turn();
  groups[0]?.fail(new Errors.RequestTimeoutError({ action: "gift.sendMany", nodeID: "gift-1" }));
  expect(mayHaveHappened(await sent)).toBe(true);
  expect(groups).toHaveLength(1);
});

test("without a gift node, and for a gift that has no answer in its group, there is an error of its own", async () => {
  const none = world([]);
  expect(await outcome(none.sender.send(gift(1)))).toMatchObject({ type: "SERVICE_NOT_FOUND" });
  const short = new GiftGroups({
    nodes: () => ["gift-1"],
    leaveOut: () => {},
    sendMany: async () => [],
    soon: (callback) => callback(),
    later: () => () => {},
    nowMs: () => 0,
    staleMs: 4_000,
  });
  expect(await outcome(short.send(gift(1)))).toBe("internal");
});
