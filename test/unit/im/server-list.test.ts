import { limits } from "../../../config/limits.ts";
import type { NodeCalls } from "../../../services/im-router/node-calls.ts";
import { ServerList } from "../../../services/im-router/server-list.ts";
import { expectTook } from "../../support/in-time.ts";

afterEach(() => jest.restoreAllMocks());

/** Servers as a router sees them: listed, and answering or not. */
function servers(connections: Record<string, number>) {
  const silent = new Set<string>();
  const silence = { pings: new Set<string>() };
  const pinged: string[] = [];
  const never = new Promise<never>(() => undefined);
  const broker = {
    nodeID: "router",
    ping: async (nodeId: string) => {
      pinged.push(nodeId);
      return silent.has(nodeId) || silence.pings.has(nodeId) ? null : { nodeID: nodeId };
    },
    call: (_action: string, _params: object, { nodeID }: { nodeID: string }) =>
      silent.has(nodeID)
        ? never
        : Promise.resolve({ address: `ws://${nodeID}`, connections: connections[nodeID], rooms: 0, draining: false }),
  };
  const nodes = { live: async () => Object.keys(connections) };
  const list = new ServerList(broker as never, nodes as unknown as NodeCalls);
  return { list, silent, silence, pinged, pick: async () => (await list.pickAddresses(1))[0]?.slice("ws://".length) };
}

test("a server that is listed but does not answer is not named, though it has the fewest connections", async () => {
  const { silent, pick } = servers({ dying: 0, other: 100 });
  expect(await pick()).toBe("dying");
  silent.add("dying");
  const since = Date.now();
  while (Date.now() - since < limits.im.serverAliveMs + 50) {
    await pick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // A ping is cached for `serverAliveMs` and no longer.
  const later = await Promise.all(Array.from({ length: 200 }, pick));
  expect(new Set(later)).toEqual(new Set(["other"]));
});

test("a crowd that asks at once is one ping", async () => {
  const { pinged, pick } = servers({ one: 0 });
  // The answer is not outdated meanwhile.
  const now = performance.now();
  jest.spyOn(performance, "now").mockReturnValue(now);
  await pick();
  await Promise.all(Array.from({ length: 500 }, pick));
  expect(pinged).toEqual(["one"]);
});

test("the router's own node needs no ping", async () => {
  const { pinged, pick } = servers({ router: 0 });
  expect([await pick(), await pick(), pinged]).toEqual(["router", "router", []]);
});

test("after the death of a server the crowd is sent to the others at once, though the dead one is still listed", async () => {
  const { silent, pick, silence } = servers({ dying: 0, busy: 5 });
  expect(await pick()).toBe("dying");
  silent.add("dying");
  // The other one is too busy for a ping, and is not chosen; it answers the call for its count.
  silence.pings.add("busy");
  await new Promise((resolve) => setTimeout(resolve, limits.im.serverAliveMs + 20));
  let waitedMs = 0;
  for (let i = 0; i < 3; i++) {
    const since = performance.now();
    expect(await pick()).toBe("busy");
    waitedMs += performance.now() - since;
    await new Promise((resolve) => setTimeout(resolve, limits.im.serverAliveMs + 20));
  }
  // Who waits for the dead one waits that long each time.
  expectTook("three picks", 2.5 * limits.im.serverListMs, waitedMs);
});

test("users who ask together are spread over all servers, also over one that has just joined", async () => {
  const connections: Record<string, number> = { one: 0 };
  const { list, pick } = servers(connections);
  expect(await pick()).toBe("one");
  Object.assign(connections, { two: 0, three: 0 });
  await new Promise((resolve) => setTimeout(resolve, limits.im.serverListMs + 20));
  const addresses = await list.pickAddresses(30);
  const usersOf = (name: string) => addresses.filter((address) => address === `ws://${name}`).length;
  expect([usersOf("one"), usersOf("two"), usersOf("three")]).toEqual([10, 10, 10]);
});
