import type { ServiceBroker } from "moleculer";
import { ableEndpoints, isUnable, tellAbility } from "../../../broker/able-nodes.ts";

/** Callers prefer nodes that can do the work of a service. */

const endpoint = (id: string, unable?: unknown) => ({ id, node: { metadata: { unable } }, service: { name: "gift" } });
const idsOf = (list: { id: string }[]) => list.map(({ id }) => id);

test("endpoints of nodes that cannot do the work are left out, unless none can", () => {
  expect(idsOf(ableEndpoints([endpoint("a", ["gift"]), endpoint("b", ["wallet"]), endpoint("c")]))).toEqual(["b", "c"]);
  expect(idsOf(ableEndpoints([endpoint("a", ["gift"]), endpoint("b", ["gift"])]))).toEqual(["a", "b"]);
  const all = [endpoint("a"), endpoint("b", [])];
  expect(ableEndpoints(all)).toBe(all);
});

test("what is no list of services says nothing", () => {
  for (const unable of [undefined, "gift", { gift: true }, [1]]) expect(isUnable({ unable }, "gift")).toBe(false);
  for (const metadata of [undefined, null, 7]) expect(isUnable(metadata, "gift")).toBe(false);
});

test("a change is told once, and the others hear of it", () => {
  const registry = { localNodeInfoInvalidated: false as boolean | "seq" };
  let told = 0;
  const broker = { metadata: { release: 2 }, registry, servicesChanged: () => told++ } as unknown as ServiceBroker;
  tellAbility(broker, "gift", true);
  expect([told, broker.metadata]).toEqual([0, { release: 2 }]);
  tellAbility(broker, "gift", false);
  tellAbility(broker, "wallet", false);
  tellAbility(broker, "gift", false);
  expect([told, broker.metadata, registry.localNodeInfoInvalidated]).toEqual([
    2,
    { release: 2, unable: ["gift", "wallet"] },
    "seq",
  ]);
  tellAbility(broker, "gift", true);
  expect([told, broker.metadata]).toEqual([3, { release: 2, unable: ["wallet"] }]);
});
