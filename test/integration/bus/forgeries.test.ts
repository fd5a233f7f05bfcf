/** Who may say what on the bus, tried by plain NATS clients and by Moleculer brokers that lie. */
import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import { brokerOptions } from "../../../broker/options.ts";
import { limits } from "../../../config/limits.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { handled, RawBus, refusedBy } from "./raw-bus.ts";

/** The calls that the wallet has handled. */
const handledCalls: { action: string; from: string | null; caller: string | null }[] = [];
const note = (ctx: Context) => {
  handledCalls.push({ action: ctx.action?.name ?? "", from: ctx.nodeID, caller: ctx.caller });
  return "done";
};
const broadcasts: unknown[] = [];
let finish: () => void = () => undefined;

const wallet = {
  name: "wallet",
  actions: {
    balance: note,
    freeze: note,
    payout: note,
    consumeForSendGift: note,
    statement: () => new Promise((resolve) => (finish = () => resolve("the wallet's answer"))),
  },
} as unknown as ServiceSchema;
const user = { name: "user", actions: { profile: () => "the user's answer" } } as unknown as ServiceSchema;
const gift = {
  name: "gift",
  events: { "living-room.changed": ({ params }: Context) => broadcasts.push(params) },
} as unknown as ServiceSchema;

let walletNode: ServiceBroker;
let userNode: ServiceBroker;
let giftNode: ServiceBroker;
let gateway: ServiceBroker;
let raw: RawBus;

beforeAll(async () => {
  walletNode = await startNode("one", [wallet], "wallet");
  userNode = await startNode("one", [user], "user");
  giftNode = await startNode("one", [gift], "gift");
  gateway = await startNode("one", [{ name: "api-gateway" }], "api-gateway");
  await waitForNode(gateway, "wallet", walletNode.nodeID);
  await waitForNode(gateway, "user", userNode.nodeID);
  raw = await RawBus.open();
});
beforeEach(() => {
  handledCalls.length = 0;
  broadcasts.length = 0;
});
afterAll(async () => {
  await raw.close();
  await stopAll();
});

/** A compromised im-server: it may publish in the name of any im-server, to whom it likes. */
const attacker = "im-server.attacker";

/** Sends packets to a node, and resolves once it has handled them. */
async function attack(node: ServiceBroker, packets: readonly Parameters<RawBus["send"]>[0][]): Promise<void> {
  for (const packet of packets) raw.send(packet);
  // One client's messages arrive in their order, and before a ping that another client sends after this answer.
  await raw.answerTo({ type: "REQ", to: node.nodeID, from: "api-gateway.probe", name: "$node.metrics" });
  await handled(gateway === node ? walletNode : gateway, node);
}

describe("a call", () => {
  test("has its callee, its caller and its action in its subject, and the callee knows the caller", async () => {
    const heard = await raw.listen("REQ.>");
    expect(await gateway.call("wallet.balance", {})).toBe("done");
    const subject = await eventually("the call", () => heard.find(({ subject }) => subject.includes("balance")));
    expect(subject?.subject.split(".").slice(1).join(".")).toBe(
      `REQ.${walletNode.nodeID}.${gateway.nodeID}.wallet.balance`,
    );
    expect(handledCalls).toEqual([{ action: "wallet.balance", from: gateway.nodeID, caller: "api-gateway" }]);
  });

  test("that the table does not allow fails at once on the caller's node, and is not sent", async () => {
    const heard = await raw.listen("REQ.>");
    const before = refusedBy(userNode, "caller");
    await waitForNode(userNode, "wallet", walletNode.nodeID);
    const startedAt = performance.now();
    await expect(userNode.call("wallet.freeze", {})).rejects.toMatchObject({ type: "callerRefused", code: 403 });
    expect(performance.now() - startedAt).toBeLessThan(limits.rpc.requestTimeoutMs);
    await handled(userNode, walletNode);
    expect(heard.filter(({ subject }) => subject.endsWith("wallet.freeze"))).toEqual([]);
    expect([handledCalls, refusedBy(userNode, "caller")]).toEqual([[], before + 1]);
  });

  test.each(["wallet.freeze", "wallet.payout", "wallet.consumeForSendGift", "wallet.balance", "$node.options"])(
    "of %s by an im-server is refused by the callee, which has not the caller's word alone",
    async (action) => {
      const before = refusedBy(walletNode, "caller");
      const payload = { caller: "api-gateway", meta: { caller: "api-gateway", $isPrivileged: true }, level: 1 };
      const answer = await raw.answerTo({ type: "REQ", to: walletNode.nodeID, from: attacker, name: action, payload });
      expect(answer.error?.type).toBe("callerRefused");
      expect([handledCalls, refusedBy(walletNode, "caller")]).toEqual([[], before + 1]);
    },
  );

  test("in the name of another node, or of another action than its subject's, is dropped and counted", async () => {
    const call = { type: "REQ", to: walletNode.nodeID, payload: { id: "x", action: "wallet.freeze", params: {} } };
    const before = ["sender", "name", "role", "stream"].map((reason) => refusedBy(walletNode, reason));
    await attack(walletNode, [
      { ...call, from: attacker, sender: gateway.nodeID, name: "wallet.freeze" },
      { ...call, from: attacker, sender: walletNode.nodeID, name: "wallet.freeze" },
      // Its own id: what a node does in itself is not checked.
      { ...call, from: walletNode.nodeID, name: "wallet.freeze" },
      { ...call, from: gateway.nodeID, name: "wallet.balance" },
      { ...call, from: "intruder.one", name: "wallet.freeze" },
      { ...call, from: gateway.nodeID, name: "wallet.freeze", payload: { ...call.payload, stream: true, seq: 0 } },
    ]);
    const after = ["sender", "name", "role", "stream"].map((reason) => refusedBy(walletNode, reason));
    expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([3, 1, 1, 1]);
    expect(handledCalls).toEqual([]);
  });

  test("claims a caller that labels metrics: only a service of the node's role is believed", async () => {
    const call = { type: "REQ" as const, to: walletNode.nodeID, from: "api-gateway.raw", name: "wallet.balance" };
    for (const caller of ["api-gateway", "wallet", `made-up-${Math.random()}`, 7])
      await raw.answerTo({ ...call, payload: { caller } });
    expect(new Set(handledCalls.map(({ caller }) => caller))).toEqual(new Set(["api-gateway"]));
  });

  test("of another node's options, registry or metrics is refused, except the gateway's for metrics", async () => {
    for (const action of ["$node.options", "$node.services", "$node.list", "$node.health"])
      await expect(gateway.call(action, {}, { nodeID: walletNode.nodeID })).rejects.toMatchObject({
        type: "callerRefused",
      });
    await expect(userNode.call("$node.metrics", {}, { nodeID: walletNode.nodeID })).rejects.toMatchObject({
      type: "callerRefused",
    });
    expect(await gateway.call("$node.metrics", {}, { nodeID: walletNode.nodeID })).toEqual(expect.any(Array));
  });
});

test("an answer counts from the node that was asked alone", async () => {
  const heard = await raw.listen("REQ.>");
  const before = ["answer", "sender"].map((reason) => refusedBy(gateway, reason));
  const answer = gateway.call("wallet.statement", {});
  const asked = await eventually("the call", () => heard.find(({ subject }) => subject.endsWith("statement")));
  const forged = { id: asked?.payload.id, success: true, data: "forged", meta: {} };
  await attack(gateway, [
    { type: "RES", to: gateway.nodeID, from: attacker, payload: forged },
    { type: "RES", to: gateway.nodeID, from: userNode.nodeID, payload: forged },
    { type: "RES", to: gateway.nodeID, from: attacker, sender: walletNode.nodeID, payload: forged },
    { type: "RES", to: "all-nodes.all-nodes", from: walletNode.nodeID, payload: forged },
  ]);
  const after = ["answer", "sender"].map((reason) => refusedBy(gateway, reason));
  expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual([2, 1]);
  finish();
  expect(await answer).toBe("the wallet's answer");
});

test("a broadcast is heard from the services that send it alone", async () => {
  await eventually("the subscriber is known", () => walletNode.registry.hasService("gift", giftNode.nodeID));
  const event = { type: "EVENT", to: giftNode.nodeID, name: "living-room.changed" };
  const payload = { event: "living-room.changed", broadcast: true, data: { roomId: 1 } };
  const before = refusedBy(giftNode, "broadcast");
  await attack(giftNode, [
    { ...event, from: attacker, payload },
    { ...event, from: attacker, sender: "living-room.one", payload },
    { ...event, from: "living-room.one", payload: { ...payload, event: "$node.connected" } },
  ]);
  await walletNode.broadcast("living-room.changed", { roomId: 2 });
  await handled(walletNode, giftNode);
  expect(refusedBy(walletNode, "broadcast")).toBe(1);
  expect([broadcasts, refusedBy(giftNode, "broadcast")]).toEqual([[], before + 1]);
  const rooms = await startNode("rooms", [{ name: "living-room" }], "living-room");
  await waitForNode(rooms, "gift", giftNode.nodeID);
  await eventually("the broadcast", async () => {
    await rooms.broadcast("living-room.changed", { roomId: 3 });
    return broadcasts.length > 0;
  });
  expect(broadcasts).toEqual(broadcasts.map(() => ({ roomId: 3 })));
  await stopNode(rooms);
});

describe("discovery", () => {
  const info = (services: unknown) => ({
    services,
    instanceID: "i",
    seq: 9,
    hostname: "h",
    ipList: [],
    client: {},
    config: {},
    metadata: {},
  });
  const serviceOf = (name: string, actions: readonly string[], events: readonly string[] = [], more = {}) => ({
    name,
    fullName: name,
    version: null,
    actions: Object.fromEntries(actions.map((action) => [action, { name: action, rawName: action }])),
    events: Object.fromEntries(events.map((event) => [event, { name: event }])),
    ...more,
  });
  const everyone = "all-nodes.all-nodes";
  const letters = Array.from({ length: 11 }, (_, n) => String.fromCharCode(97 + n));
  const manyNames = letters.flatMap((one) => letters.map((other) => `$${one}${other}`));

  test.each([
    ["a service of another role", [serviceOf("user", ["user.profile"])]],
    ["an action of another service", [serviceOf("im-server", ["im-server.status", "user.profile"])]],
    [
      "an action under another name",
      [{ ...serviceOf("im-server", []), actions: { "im-server.x": { name: "user.profile" } } }],
    ],
    ["another full name", [serviceOf("im-server", [], [], { fullName: "user" })]],
    ["a version", [serviceOf("im-server", [], [], { version: 2, fullName: "v2.im-server" })]],
    ["to hear every broadcast", [serviceOf("im-server", [], ["**"])]],
    ["an action whose name is none", [serviceOf("im-server", ["im-server.x.y"])]],
    ["an action with a long name", [serviceOf("im-server", [`im-server.${"x".repeat(61)}`])]],
    ["a broadcast whose name is none", [serviceOf("im-server", [], ["im-server.*"])]],
    ["events without number", [serviceOf("im-server", [], manyNames)]],
    ["services without number", [1, 2, 3].map(() => serviceOf("im-server", []))],
    ["something that is no service", [null]],
    ["something that is no list", { length: 0 }],
  ])("does not register a node that claims %s", async (_what, services) => {
    const before = refusedBy(gateway, "services");
    await attack(gateway, [{ type: "INFO", to: everyone, from: attacker, payload: info(services) }]);
    expect(gateway.registry.getNodeList({}).map(({ id }: { id: string }) => id)).not.toContain(attacker);
    expect(refusedBy(gateway, "services")).toBe(before + 1);
  });

  test("registers a node with services of its role", async () => {
    const from = "im-server.fine";
    await attack(gateway, [
      { type: "INFO", to: everyone, from, payload: info([serviceOf("im-server", ["im-server.status"])]) },
    ]);
    expect(gateway.registry.hasService("im-server", from)).toBe(true);
    await attack(gateway, [{ type: "DISCONNECT", to: everyone, from }]);
    expect(gateway.registry.hasService("im-server", from)).toBe(false);
  });

  test("registers a node of another release, without the actions, broadcasts and services that this one does not know", async () => {
    const from = "im-server.later";
    const later = serviceOf(
      "im-server",
      ["im-server.status", "im-server.later"],
      ["user.tokens-revoked", "gift.later"],
    );
    await attack(gateway, [{ type: "INFO", to: everyone, from, payload: info([later]) }]);
    expect(gateway.registry.hasService("im-server", from)).toBe(true);
    const { actions, events } = (
      gateway.registry.getServiceList({ withActions: true, withEvents: true }) as unknown as {
        nodeID: string;
        actions: object;
        events: object;
      }[]
    ).find(({ nodeID }) => nodeID === from) as { actions: object; events: object };
    expect([Object.keys(actions), Object.keys(events)]).toEqual([["im-server.status"], ["user.tokens-revoked"]]);
    await attack(gateway, [{ type: "DISCONNECT", to: everyone, from }]);
  });

  test("does not keep what is too long, nor more nodes of a role than it may have; those that are gone make room", async () => {
    const { infoBytes, nodesOfRole } = limits.bus;
    const own = info([serviceOf("im-server", ["im-server.status"])]);
    const hello = (from: string, payload: object = own) => ({ type: "INFO", to: everyone, from, payload });
    const known = () => gateway.registry.getNodeList({}).map(({ id }: { id: string }) => id);
    const [tooLarge, tooMany] = [refusedBy(gateway, "tooLarge"), refusedBy(gateway, "tooMany")];
    await attack(gateway, [hello("im-server.long", { ...own, metadata: { text: "x".repeat(infoBytes) } })]);
    expect([refusedBy(gateway, "tooLarge") - tooLarge, known().includes("im-server.long")]).toEqual([1, false]);

    const names = Array.from({ length: nodesOfRole + 3 }, (_, n) => `im-server.many-${n}`);
    const ofRole = () => known().filter((id: string) => id.startsWith("im-server."));
    try {
      await attack(
        gateway,
        names.map((from) => hello(from)),
      );
      expect(ofRole().length).toBe(nodesOfRole);
      expect(refusedBy(gateway, "tooMany") - tooMany).toBeGreaterThanOrEqual(3);
      // A node that is known says more, those of other roles are heard, and who comes takes the place of one that is gone.
      await attack(gateway, [hello(names[5] as string, { ...own, seq: 10 })]);
      const refused = refusedBy(gateway, "tooMany");
      await attack(gateway, [{ type: "DISCONNECT", to: everyone, from: names[5] as string }, hello("im-server.next")]);
      expect([ofRole().length, known().includes("im-server.next")]).toEqual([nodesOfRole, true]);
      expect(refusedBy(gateway, "tooMany")).toBe(refused);
      await stopNode(await startNode("other", [{ name: "living-room" }], "living-room"));
    } finally {
      await attack(
        gateway,
        [...names, "im-server.next"].map((from) => ({ type: "DISCONNECT", to: everyone, from })),
      );
    }
  });

  test("hears of a node from this node alone: no other one ends it, changes it or keeps it alive", async () => {
    const calls = () => gateway.call("user.profile", {});
    expect(await calls()).toBe("the user's answer");
    const before = refusedBy(gateway, "sender");
    const forged = { to: everyone, from: attacker, sender: userNode.nodeID };
    await attack(gateway, [
      { ...forged, type: "DISCONNECT" },
      { ...forged, type: "INFO", payload: info([]) },
      { ...forged, type: "HEARTBEAT", payload: { cpu: 1 } },
      { ...forged, type: "INFO", to: gateway.nodeID, payload: info([]) },
    ]);
    expect(refusedBy(gateway, "sender")).toBe(before + 4);
    expect(await calls()).toBe("the user's answer");
  });

  test("does not see a Moleculer broker that speaks in stock subjects, whatever its id and services", async () => {
    const { transporter: ours, ...options } = brokerOptions({ role: "user" });
    const stock = new ServiceBroker({
      ...options,
      nodeID: "user.stock",
      transporter: { type: "NATS", options: (ours as { options: object }).options },
      middlewares: [],
      logger: false,
    });
    stock.createService({ ...user, actions: { profile: () => "stolen" } } as never);
    await stock.start();
    try {
      await handled(userNode, gateway);
      expect(gateway.registry.hasService("user", "user.stock")).toBe(false);
      await expect(stock.call("wallet.freeze", {})).rejects.toMatchObject({ type: "SERVICE_NOT_FOUND" });
      const direct = stock.call("wallet.freeze", {}, { nodeID: walletNode.nodeID });
      await expect(direct).rejects.toMatchObject({ type: "SERVICE_NOT_FOUND" });
    } finally {
      await stock.stop();
    }
    expect(handledCalls).toEqual([]);
  });

  test("does not register a broker with this project's transporter that claims a service beside its role", async () => {
    const liar = new ServiceBroker({ ...brokerOptions({ role: "im-server" }), logger: false });
    liar.createService({ ...user, actions: { profile: () => "stolen" } } as never);
    const before = refusedBy(gateway, "services");
    await liar.start();
    try {
      await eventually("its INFO was refused", () => refusedBy(gateway, "services") > before);
      expect(gateway.registry.hasService("user", liar.nodeID)).toBe(false);
      expect(await gateway.call("user.profile", {})).toBe("the user's answer");
    } finally {
      await liar.stop();
    }
  });
});

test("a stop waits for the calls that a node has begun, and the others see it leave", async () => {
  const second = await startNode("two", [wallet], "wallet");
  await waitForNode(gateway, "wallet", second.nodeID);
  finish = () => undefined;
  const never = finish;
  const answer = gateway.call("wallet.statement", {}, { nodeID: second.nodeID });
  await eventually("the call has arrived", () => finish !== never);
  const stopped = stopNode(second);
  await eventually("it left", () => !gateway.registry.hasService("wallet", second.nodeID));
  finish();
  expect(await answer).toBe("the wallet's answer");
  await stopped;
});
