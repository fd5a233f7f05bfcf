import fc from "fast-check";
import { newInstance } from "../../../../broker/bus/instance.ts";
import { roleOf } from "../../../../broker/bus/roles.ts";
import {
  asInstance,
  instanceOf,
  isNodeId,
  packetTypes,
  readSubject,
  roleOfNode,
} from "../../../../broker/bus/subjects.ts";
import { serviceNames } from "../../../../broker/service-names.ts";
import { limits } from "../../../../config/limits.ts";

test("a subject says type, receiver, sender and name, and is read as it was written", () => {
  expect(readSubject("MOL-a", "MOL-a.REQ.wallet.w1.gift.g1.wallet.balance")).toEqual({
    ...{ type: "REQ", to: "wallet.w1", from: "gift.g1", name: "wallet.balance" },
  });
  expect(readSubject("MOL-a", "MOL-a.INFO.all-nodes.all-nodes.gift+wallet.g-1")).toEqual({
    ...{ type: "INFO", to: "all-nodes.all-nodes", from: "gift+wallet.g-1", name: "" },
  });
});

test.each([
  ["of another namespace", "MOL-ab.RES.a.b.gift.g"],
  ["of no known type", "MOL-a.REQB.a.b.gift.g.x"],
  ["of a type that every object has", "MOL-a.constructor.a.b.gift.g"],
  ["of a call without an action", "MOL-a.REQ.a.b.gift.g"],
  ["with a name where there is none", "MOL-a.RES.a.b.gift.g.x"],
  ["of a call to everyone", "MOL-a.REQ.all-nodes.all-nodes.gift.g.wallet.balance"],
  ["of an answer to everyone", "MOL-a.RES.all-nodes.all-nodes.gift.g"],
  ["of a heartbeat to one node", "MOL-a.HEARTBEAT.a.b.gift.g"],
  ["without a sender", "MOL-a.INFO.all-nodes.all-nodes"],
  ["of a sender with one token", "MOL-a.INFO.all-nodes.all-nodes.gift"],
  ["of stock Moleculer", "MOL-a.INFO"],
])("a subject %s is none", (_what, subject) => {
  expect(readSubject("MOL-a", subject)).toBeUndefined();
});

test("no subject breaks its reader, and what it reads has a sender of the form of a node id", () => {
  const token = fc.constantFrom("MOL-a", ...Object.keys(packetTypes), "all-nodes", "gift", "g", "", "*", ">", "$node");
  fc.assert(
    fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
      const address = readSubject("MOL-a", ["MOL-a", ...tokens].join("."));
      expect(address === undefined || isNodeId(address.from)).toBe(true);
    }),
  );
});

test("a node id has two tokens, whatever the host and the label are called", () => {
  for (const role of ["wallet", "console", "all", roleOf(serviceNames.slice(1))])
    for (const label of [undefined, "wallet-2", "l".repeat(60)]) {
      const nodeID = `${role}.${newInstance(role, label, "host.example.com")}`;
      expect([isNodeId(nodeID), roleOfNode(nodeID)]).toEqual([true, role]);
      expect(nodeID.length).toBeLessThanOrEqual(limits.bus.nodeIdChars);
      expect(nodeID).toMatch(/-[0-9]+-[0-9a-f]{4}$/);
      // A long role leaves less room for the label.
      if (label) expect(instanceOf(nodeID).startsWith(label.slice(0, 20))).toBe(true);
    }
  expect(asInstance("host.example.com*> \u0000")).toBe("host-example-com----");
  for (const text of [
    "gift",
    "gift.",
    ".g",
    "gift.g.h",
    "gift. g",
    "gift.*",
    "gift.>",
    `gift.${"g".repeat(200)}`,
    7,
    null,
  ])
    expect(isNodeId(text)).toBe(false);
});

test("a role is the services in their order; every service together is all", () => {
  expect(roleOf(["wallet", "gift"])).toBe("gift+wallet");
  expect(roleOf([...serviceNames].reverse())).toBe("all");
  expect(() => roleOf([])).toThrow();
});
