/** What a node of another release says of itself, and what of it is kept. */
import { areServicesOf, knownServices } from "../../../../broker/bus/packet-checks.ts";
import { isOwnRole, membersOf } from "../../../../broker/bus/roles.ts";
import { limits } from "../../../../config/limits.ts";

const entry = (name: string, actions: readonly string[] = [], events: readonly string[] = []) => ({
  name,
  fullName: name,
  actions: Object.fromEntries(actions.map((action) => [action, { name: action }])),
  events: Object.fromEntries(events.map((event) => [event, { name: event }])),
});

test("actions, broadcasts and, of a node with all services, services that are not known here are borne and left out", () => {
  const wallet = entry("wallet", ["wallet.balance", "wallet.later"], ["user.tokens-revoked", "gift.later"]);
  const services = [entry("$node", ["$node.metrics"]), wallet, entry("later", ["later.doIt"])];
  expect(areServicesOf("all", services)).toBe(true);
  expect(areServicesOf("wallet", services)).toBe(false);
  const kept = knownServices(services) as ReturnType<typeof entry>[];
  expect(kept.map(({ name, actions, events }) => [name, Object.keys(actions), Object.keys(events)])).toEqual([
    ["$node", ["$node.metrics"], []],
    ["wallet", ["wallet.balance"], ["user.tokens-revoked"]],
  ]);
});

test("what is no name, or of another service, is refused; so are services without number", () => {
  expect(areServicesOf("wallet", [entry("wallet", ["user.profile"])])).toBe(false);
  expect(areServicesOf("wallet", [entry("wallet", ["wallet.a.b"])])).toBe(false);
  expect(areServicesOf("wallet", [entry("wallet", [], ["gift.*"])])).toBe(false);
  expect(areServicesOf("all", [entry("Later Service")])).toBe(false);
  const many = Array.from({ length: 60 + limits.bus.otherServices }, () => entry("later"));
  expect(areServicesOf("all", many)).toBe(false);
});

test("a role of several has the rights of those that are known here; nobody makes a login for it", () => {
  expect([...(membersOf("gift+later") ?? [])]).toEqual(["gift"]);
  expect(membersOf("later")).toBeUndefined();
  expect(membersOf("gift+*")).toBeUndefined();
  expect([isOwnRole("gift+later"), isOwnRole("gift+wallet"), isOwnRole("all+console")]).toEqual([false, true, true]);
});
