import { busPermissions } from "../../../../broker/bus/permissions.ts";
import { packetTypes } from "../../../../broker/bus/subjects.ts";
import { serviceNames } from "../../../../broker/service-names.ts";
import { actionCallers, mayCall } from "../../../../services/access.ts";

/** Whether a subject, which may have wildcards itself, lies within a permission: nats-server's rule. */
function lies(subject: string, permission: string): boolean {
  const wanted = permission.split(".");
  const given = subject.split(".");
  const at = wanted.indexOf(">");
  if (at >= 0) return given.length > at && wanted.slice(0, at).every((token, i) => token === "*" || token === given[i]);
  return given.length === wanted.length && wanted.every((token, i) => token === "*" || token === given[i]);
}
const may = (subjects: readonly string[], subject: string) => subjects.some((one) => lies(subject, one));

const roles = [...serviceNames, "gift+wallet", "all", "console"];

test.each(roles)("the login of %s publishes in its own name alone, and calls what the table gives it", (role) => {
  const { publish } = busPermissions(role, "ns");
  for (const action of actionCallers.keys()) {
    const subject = (from: string) => `MOL-ns.REQ.wallet.w1.${from}.${action}`;
    expect([action, may(publish, subject(`${role}.x`))]).toEqual([action, mayCall(role, action)]);
    for (const other of roles.filter((name) => name !== role)) expect(may(publish, subject(`${other}.x`))).toBe(false);
  }
  for (const type of Object.keys(packetTypes)) {
    const named = type === "REQ" || type === "EVENT" ? ".wallet.balance" : "";
    for (const other of roles.filter((name) => name !== role))
      for (const to of ["wallet.w1", "all-nodes.all-nodes"])
        expect(may(publish, `MOL-ns.${type}.${to}.${other}.x${named}`)).toBe(false);
  }
  for (const subject of ["MOL-other.INFO.all-nodes.all-nodes.x.y", "$JS.API.INFO", "gift.send.1", "_INBOX.x", ">"])
    expect(may(publish, subject)).toBe(false);
});

test.each(roles)("the login of %s hears what is for its own nodes and what is for all, and no more", (role) => {
  const { publish, subscribe } = busPermissions(role, "ns");
  // What the transporter subscribes to.
  for (const subject of [`MOL-ns.*.${role}.instance-1.>`, "MOL-ns.*.all-nodes.all-nodes.>"])
    expect(may(subscribe, subject)).toBe(true);
  const others = roles.filter((name) => name !== role).map((name) => `MOL-ns.*.${name}.*.>`);
  for (const subject of [
    ...others,
    ">",
    "MOL-ns.>",
    "MOL-ns.REQ.>",
    "MOL-ns.*.*.*.>",
    "MOL-other.*.all-nodes.all-nodes.>",
  ])
    expect([subject, may(subscribe, subject)]).toEqual([subject, false]);
  for (const type of ["INFO", "DISCOVER", "HEARTBEAT", "DISCONNECT", "PING"])
    expect(may(publish, `MOL-ns.${type}.all-nodes.all-nodes.${role}.x`)).toBe(true);
  for (const type of ["RES", "PONG", "INFO", "DISCOVER", "PING"])
    expect(may(publish, `MOL-ns.${type}.api-gateway.a.${role}.x`)).toBe(true);
});

test("a person's console speaks and hears as this person alone", () => {
  const { publish, subscribe } = busPermissions("console", "ns", "alice");
  expect(may(publish, "MOL-ns.REQ.wallet.w1.console.alice.wallet.balance")).toBe(true);
  expect(may(publish, "MOL-ns.REQ.wallet.w1.console.bob.wallet.balance")).toBe(false);
  expect(may(publish, "MOL-ns.REQ.wallet.w1.console.alice.wallet.freeze")).toBe(false);
  expect(may(subscribe, "MOL-ns.*.console.alice.>")).toBe(true);
  expect(may(subscribe, "MOL-ns.*.console.bob.>")).toBe(false);
});

test("what is no role has no permissions", () => {
  for (const role of ["", "admin", "gift.wallet", "*", "all-nodes", "gift+*"])
    expect(() => busPermissions(role, "ns")).toThrow("no such role");
});
