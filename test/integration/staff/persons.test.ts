import { randomBytes } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { consoleName } from "../../../broker/bus/subjects.ts";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import type { StaffRole } from "../../../services/staff-roles.ts";
import { rows } from "../../support/books.ts";
import {
  asOperator,
  codeOf,
  enrolledPerson,
  goodPassword,
  secretIn,
  staff,
  type TestPerson,
} from "../../support/staff.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";
import { change } from "../platform/money-books.ts";

/** Who may manage persons, what a staff role means at the next call, and that one admin stays. */

jest.setTimeout(120_000);

let caller: ServiceBroker;
let door: ServiceBroker;
let console_: ServiceBroker;

beforeAll(async () => {
  const nodes = [await startNode("staff-1", [staff]), await startNode("staff-2", [staff])];
  caller = await startNode("caller", []);
  door = await startNode("door", [], "admin-gateway");
  console_ = await startNode("ada", [], "console");
  for (const broker of [caller, door, console_])
    for (const { nodeID } of nodes) await waitForNode(broker, "staff", nodeID);
});
afterAll(stopAll);

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => failureName(error) ?? error,
  );
const manager = ({ name, login: { session } }: TestPerson) => ({ session, operator: `staff:${name}` });
const newName = () => `n-${randomBytes(4).toString("hex")}`;

test("a console needs no session; a door shows one that has the right, of the person that it names", async () => {
  const [admin, viewer] = [await enrolledPerson(caller, "admin"), await enrolledPerson(caller, "viewer")];
  const add = (broker: ServiceBroker, given: { session?: string; operator: string }) =>
    outcomeOf(call(broker, "staff.addPerson", { name: newName(), role: "viewer", ...given }));
  expect(await add(console_, { operator: "anybody" })).toBe("done");
  expect(await add(door, manager(admin))).toBe("done");
  expect(await add(door, { operator: `staff:${admin.name}` })).toBe("notLoggedIn");
  expect(await add(door, { operator: "console:ada" })).toBe("notLoggedIn");
  expect(await add(door, { ...manager(admin), operator: `staff:${viewer.name}` })).toBe("callerRefused");
  expect(await add(door, manager(viewer))).toBe("roleMissing");
  expect(await add(caller, { operator: "staff:operator" })).toBe("notLoggedIn");
});

test("no other role than admin manages persons; finance reads the audit", async () => {
  for (const role of ["viewer", "support", "finance"] as const) {
    const person = await enrolledPerson(caller, role);
    const { name, ...managed } = { name: person.name, ...manager(person) };
    const outcomes = [
      await outcomeOf(call(door, "staff.persons", managed)),
      await outcomeOf(call(door, "staff.setRole", { name, role: "admin", ...managed })),
      await outcomeOf(call(door, "staff.disablePerson", { name, ...managed })),
      await outcomeOf(call(door, "staff.enablePerson", { name, ...managed })),
      await outcomeOf(call(door, "staff.resetPerson", { name, ...managed })),
      await outcomeOf(call(door, "staff.endSessions", { name, ...managed })),
    ];
    expect([role, new Set(outcomes)]).toEqual([role, new Set(["roleMissing"])]);
    const audit = await outcomeOf(call(door, "staff.audit", managed));
    expect([role, audit]).toEqual([role, role === "finance" ? "done" : "roleMissing"]);
  }
});

/** Sets the person up with the code; resolves to a session. */
async function enrolled(name: string, code: string): Promise<string> {
  const who = { name, code, address: "10.0.0.9" };
  const { totpUri } = await call(door, "staff.enrolBegin", who);
  const given = { ...who, password: goodPassword(), totp: codeOf(secretIn(totpUri)) };
  return (await call(door, "staff.enrolFinish", given)).session;
}

test("who is added or reset, or gets a role that decides, decides 72 hours later on the page, and at once at a console", async () => {
  const admin = await enrolledPerson(caller, "admin");
  // There is no such proposal: who decides is told so.
  const decide = (session: string) =>
    outcomeOf(call(door, "staff.decide", { session, proposalId: "s999999999", approve: true }));
  const waits = async (name: string) => {
    const sql = `SELECT setup_by AS setupBy, TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(3), decides_from) AS minutes
      FROM t_staff_person WHERE name = ?`;
    const [row] = await rows<{ setupBy: string; minutes: number | null }>("staff", sql, [name]);
    return [row?.setupBy, row?.minutes === null ? null : Math.round(Number(row?.minutes) / 60)];
  };
  const atPage = manager(admin);
  const atConsole = { operator: "anybody" };
  const name = newName();

  const added = await call(door, "staff.addPerson", { name, role: "finance", ...atPage });
  expect(await waits(name)).toEqual([`staff:${admin.name}`, 72]);
  expect(await decide(await enrolled(name, added.setupCode))).toBe("decidesLater");

  const reset = await call(console_, "staff.resetPerson", { name, ...atConsole });
  expect(await waits(name)).toEqual([consoleName(console_.nodeID), null]);
  const session = await enrolled(name, reset.setupCode);
  expect(await decide(session)).toBe("proposalUnknown");

  await call(console_, "staff.setRole", { name, role: "viewer", ...atConsole });
  expect(await decide(session)).toBe("roleMissing");
  await call(console_, "staff.setRole", { name, role: "admin", ...atConsole });
  expect(await decide(session)).toBe("proposalUnknown");
  // From a role that decides to another one that does.
  await call(door, "staff.setRole", { name, role: "finance", ...atPage });
  expect(await decide(session)).toBe("proposalUnknown");
  for (const role of ["support", "finance"] as const) await call(door, "staff.setRole", { name, role, ...atPage });
  expect(await decide(session)).toBe("decidesLater");
  expect(await waits(name)).toEqual([consoleName(console_.nodeID), 72]);
  await change("staff", "UPDATE t_staff_person SET decides_from = UTC_TIMESTAMP(3) WHERE name = ?", [name]);
  expect(await decide(session)).toBe("proposalUnknown");

  const again = await call(door, "staff.resetPerson", { name, ...atPage });
  expect(await waits(name)).toEqual([`staff:${admin.name}`, 72]);
  expect(await decide(await enrolled(name, again.setupCode))).toBe("decidesLater");
});

test("what is done to persons is in the operators' audit, without the session that was shown", async () => {
  const admin = await enrolledPerson(caller, "admin");
  const name = newName();
  await call(door, "staff.addPerson", { name, role: "finance", ...manager(admin) });
  const audit = await rows<{ operator: string; params: string }>(
    "staff",
    "SELECT operator, params FROM t_operator_audit WHERE action = 'staff.addPerson' AND params LIKE ?",
    [`%${name}%`],
  );
  expect(audit).toEqual([{ operator: `staff:${admin.name}`, params: JSON.stringify({ name, role: "finance" }) }]);
});

test("the name operator is nobody's, and a name is given once", async () => {
  const add = (name: string) => call(console_, "staff.addPerson", { name, role: "viewer", operator: "ada" });
  expect(await outcomeOf(add("operator"))).toBe("personTaken");
  const name = newName();
  expect((await Promise.all([outcomeOf(add(name)), outcomeOf(add(name))])).sort()).toEqual(["done", "personTaken"]);
  for (const strange of ["", "Alice", "a b", "é", "a".repeat(41), "a\u0000"])
    expect(await outcomeOf(add(strange))).toBe("invalidParam");
});

test("another role is in force at the next call", async () => {
  const { name, login } = await enrolledPerson(caller, "viewer");
  const begin = () =>
    outcomeOf(
      call(caller, "staff.begin", {
        ...{ session: login.session, route: "/live/admin/x", right: "refund", params: {}, address: "10.0.0.1" },
      }),
    );
  const give = (role: StaffRole) => call(caller, "staff.setRole", { name, role, ...asOperator() });
  expect(await begin()).toBe("roleMissing");
  await give("finance");
  expect(await begin()).toBe("done");
  await give("viewer");
  expect(await begin()).toBe("roleMissing");
});

test("moves that a person's state does not allow are refused", async () => {
  const name = newName();
  const change = (action: "disablePerson" | "enablePerson" | "resetPerson") =>
    outcomeOf(call(console_, `staff.${action}`, { name, operator: "ada" }));
  expect(await change("disablePerson")).toBe("personUnknown");
  await call(console_, "staff.addPerson", { name, role: "viewer", operator: "ada" });
  expect(await change("enablePerson")).toBe("personState");
  expect([await change("disablePerson"), await change("disablePerson")]).toEqual(["done", "personState"]);
  expect(await change("resetPerson")).toBe("personState");
  expect(await change("enablePerson")).toBe("done");
  const { list } = await call(console_, "staff.persons", { operator: "ada" });
  expect(list.find((one) => one.name === name)).toMatchObject({ state: "invited", lastLoginTime: null, sessions: 0 });
});

test("the last active admin stays: of two who take each other away at once one remains; a console may", async () => {
  const before = await call(console_, "staff.persons", { operator: "ada" });
  for (const { name } of before.list.filter(({ role, state }) => role === "admin" && state === "active"))
    await call(console_, "staff.disablePerson", { name, operator: "ada" });
  for (let round = 0; round < 5; round++) {
    const [one, other] = [await enrolledPerson(caller, "admin"), await enrolledPerson(caller, "admin")];
    const outcomes = await Promise.all([
      outcomeOf(call(door, "staff.disablePerson", { name: one.name, ...manager(other) })),
      outcomeOf(call(door, "staff.setRole", { name: other.name, role: "viewer", ...manager(one) })),
    ]);
    expect(outcomes).toContain("done");
    expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(1);
    const { list } = await call(console_, "staff.persons", { operator: "ada" });
    const admins = list.filter(({ role, state }) => role === "admin" && state === "active");
    expect(admins).toHaveLength(1);
    const last = [one, other].find(({ name }) => name === admins[0]?.name) as TestPerson;
    const self = { name: last.name, ...manager(last) };
    expect(await outcomeOf(call(door, "staff.disablePerson", self))).toBe("lastAdmin");
    expect(await outcomeOf(call(door, "staff.resetPerson", self))).toBe("lastAdmin");
    expect(await outcomeOf(call(door, "staff.setRole", { ...self, role: "finance" }))).toBe("lastAdmin");
    expect(await outcomeOf(call(door, "staff.setRole", { ...self, role: "admin" }))).toBe("done");
    expect(await outcomeOf(call(console_, "staff.resetPerson", { name: last.name, operator: "ada" }))).toBe("done");
  }
});
