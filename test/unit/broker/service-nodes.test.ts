import { EventEmitter } from "node:events";
import type { ServiceBroker } from "moleculer";
import { ServiceNodes } from "../../../broker/service-nodes.ts";

function registry(nodes: string[]) {
  const localBus = new EventEmitter();
  let reads = 0;
  const list = () => {
    reads++;
    return [...nodes.map((nodeID) => ({ name: "gift", nodeID })), { name: "wallet", nodeID: "w" }];
  };
  const broker = { localBus, registry: { getServiceList: list } } as unknown as ServiceBroker;
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

test("where no node would remain, none is left out", () => {
  const { of } = registry(["a", "b"]);
  of.leaveOut("a");
  of.leaveOut("b");
  expect(of.ids()).toEqual(["a", "b"]);
});
