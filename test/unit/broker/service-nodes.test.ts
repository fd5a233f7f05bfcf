import { EventEmitter } from "node:events";
import type { ServiceBroker } from "moleculer";
import { ServiceNodes } from "../../../broker/service-nodes.ts";

function registry(nodes: string[], unable: Record<string, string[]> = {}) {
  const localBus = new EventEmitter();
  let reads = 0;
  const told = () => nodes.map((id) => ({ id, metadata: { unable: unable[id] } }));
  const list = () => {
    reads++;
    return [...nodes.map((nodeID) => ({ name: "gift", nodeID })), { name: "wallet", nodeID: "w" }];
  };
  const broker = { localBus, registry: { getServiceList: list, getNodeList: told } } as unknown as ServiceBroker;
  const change = (event: string, now: string[]) => {
    nodes = now;
    localBus.emit(event);
  };
  return { of: new ServiceNodes(broker, "gift"), change, reads: () => reads };
}

test("the nodes of a service are sorted, and read again only after the registry has changed", () => {
  const { of, change, reads } = registry(["b", "a"]);
  expect([of.ids(), of.ids()]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
  expect(reads()).toBe(1);
  for (const event of ["$services.changed", "$node.connected", "$node.disconnected"]) {
    change(event, ["c", "a", event]);
    expect(of.ids()).toEqual([event, "a", "c"]);
  }
});

test("a node that does not have the service is left out until the registry changes", () => {
  const { of, change } = registry(["a", "b"]);
  of.leaveOut("a");
  expect(of.ids()).toEqual(["b"]);
  change("$services.changed", ["a", "b"]);
  expect(of.ids()).toEqual(["a", "b"]);
});

test("a node that is left out for a time is back after it, counted from the last time it was left out", () => {
  jest.useFakeTimers();
  try {
    const { of } = registry(["a", "b"]);
    of.leaveOut("a", 1_000);
    jest.advanceTimersByTime(600);
    of.leaveOut("a", 1_000);
    jest.advanceTimersByTime(600);
    expect(of.ids()).toEqual(["b"]);
    jest.advanceTimersByTime(400);
    expect(of.ids()).toEqual(["a", "b"]);
  } finally {
    jest.useRealTimers();
  }
});

test("where no node would be left, none is left out", () => {
  const { of } = registry(["a", "b"]);
  of.leaveOut("a");
  of.leaveOut("b");
  expect(of.ids()).toEqual(["a", "b"]);
});

test("a node that cannot do the work of the service is left out, unless none can", () => {
  expect(registry(["a", "b"], { a: ["gift"], b: ["wallet"] }).of.ids()).toEqual(["b"]);
  expect(registry(["a", "b"], { a: ["gift"], b: ["gift"] }).of.ids()).toEqual(["a", "b"]);
});
