import { randomBytes } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import { rows } from "../../support/books.ts";
import { asOperator, codeOf, enrolledPerson, staff, type TestPerson } from "../../support/staff.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

/** The audit of what persons ask for. */

jest.setTimeout(120_000);

let caller: ServiceBroker;
let nodes: [string, string];
let alice: TestPerson;

beforeAll(async () => {
  const [one, other] = [await startNode("staff-1", [staff]), await startNode("staff-2", [staff])];
  caller = await startNode("caller", []);
  nodes = [one.nodeID, other.nodeID];
  for (const nodeID of nodes) await waitForNode(caller, "staff", nodeID);
  alice = await enrolledPerson(caller, "support", { name: "alice" });
});
afterAll(stopAll);

const route = "/live/admin/account/freeze";
const newId = () => `id-${randomBytes(4).toString("hex")}`;
const begin = (given: object = {}) =>
  call(caller, "staff.begin", {
    ...{ session: alice.login.session, route, right: "freeze", params: {}, address: "10.0.0.1" },
    ...given,
  });
const audit = async (filter: object) => call(caller, "staff.audit", { ...filter, ...asOperator() });

test("a call is there before its outcome is, with who, where, what and about what; the outcome is added once", async () => {
  const about = newId();
  const params = { userId: about, reason: 'a "complaint"\n\t字' };
  const begun = await begin({ about, params, requestId: "request-1" });
  expect(begun).toEqual({ callId: begun.callId, name: "alice", role: "support" });
  const shown = {
    ...{ callId: begun.callId, person: "alice", role: "support", address: "10.0.0.1", route, about, params },
    time: expect.stringMatching(/Z$/),
  };
  expect((await audit({ about })).list).toEqual([{ ...shown, outcome: null, outcomeTime: null }]);
  await call(caller, "staff.finish", { callId: begun.callId, outcome: "userUnknown" }, { nodeID: nodes[0] });
  await call(caller, "staff.finish", { callId: begun.callId, outcome: "succeeded" }, { nodeID: nodes[1] });
  const finished = { ...shown, outcome: "userUnknown", outcomeTime: expect.stringMatching(/Z$/) };
  expect((await audit({ about })).list).toEqual([finished]);
});

test("a text with control characters, which separate what is sealed, is not taken", async () => {
  for (const given of [{ about: "o-1\tadmin" }, { route: "/a\n/b" }, { address: "10.0.0.1\t" }, { requestId: "r\n" }])
    expect([given, await begin(given).catch(failureName)]).toEqual([given, "invalidParam"]);
  const { callId } = await begin({ about: newId() });
  const finish = call(caller, "staff.finish", { callId, outcome: "succeeded\t" });
  expect(await finish.catch(failureName)).toBe("invalidParam");
});

test("a filter by a name that no person can have is an invalid parameter", async () => {
  expect(await audit({ person: "爱丽丝" }).catch(failureName)).toBe("invalidParam");
});

test("outcomes of one call at the same moment on two nodes are one", async () => {
  const about = newId();
  const { callId } = await begin({ about });
  const finish = (node: string | undefined, outcome: string) =>
    call(caller, "staff.finish", { callId, outcome }, { nodeID: node as string });
  await Promise.all(Array.from({ length: 6 }, (_, at) => finish(nodes[at % 2], `outcome-${at}`)));
  expect(await rows("staff", "SELECT id FROM t_staff_audit WHERE call_id = ?", [callId])).toHaveLength(1);
});

test("an outcome is of a call that there is, and of none that is an outcome itself", async () => {
  const { callId } = await begin();
  await call(caller, "staff.finish", { callId, outcome: "succeeded" });
  const [outcome] = await rows<{ id: string }>("staff", "SELECT id FROM t_staff_audit WHERE call_id = ?", [callId]);
  for (const none of [outcome!.id, "999999999", "9223372036854775807"])
    await expect(call(caller, "staff.finish", { callId: none, outcome: "succeeded" })).rejects.toMatchObject({
      type: "invalidParam",
    });
});

test("a call without the right is refused, and is there with this outcome; one without a session leaves nothing", async () => {
  const about = newId();
  await expect(begin({ about, right: "payout" })).rejects.toMatchObject({ type: "roleMissing" });
  const [refused, ...more] = (await audit({ about })).list;
  expect([refused, more]).toMatchObject([{ person: "alice", outcome: "roleMissing", outcomeTime: refused!.time }, []]);
  await expect(begin({ about, session: "nothing" })).rejects.toMatchObject({ type: "notLoggedIn" });
  expect((await audit({ about })).list).toHaveLength(1);
});

test("the person of OPERATOR_TOKEN is operator, an admin", async () => {
  const about = newId();
  const { session } = asOperator();
  expect(await begin({ about, session, right: "persons" })).toMatchObject({ name: "operator", role: "admin" });
  expect((await audit({ about })).list).toMatchObject([{ person: "operator", role: "admin" }]);
});

test("a wrong setup code is there too, at the beginning of an enrolment", async () => {
  const wrong = { name: "nobody-here", code: "wrong", address: "10.7.0.2" };
  expect(await call(caller, "staff.enrolBegin", wrong).catch(failureName)).toBe("staffLoginWrong");
  const { list } = await audit({ person: "nobody-here" });
  expect(list).toMatchObject([{ route: "/live/admin/enrol/begin", role: null, outcome: "staffLoginWrong" }]);
});

test("logins are there, right ones and wrong ones, without password and code", async () => {
  const { name, password, secret } = await enrolledPerson(caller, "viewer", { name: "bob" });
  const totp = codeOf(secret);
  await call(caller, "staff.login", { name, password: "wrong one here", totp, address: "10.7.0.1" }).catch(failureName);
  await call(caller, "staff.login", { name, password, totp, address: "10.7.0.1" });
  const { list } = await audit({ person: "bob" });
  expect(list.map(({ role, address, route: path, outcome }) => [path, address, role, outcome])).toEqual([
    ["/live/admin/login", "10.7.0.1", "viewer", "succeeded"],
    ["/live/admin/login", "10.7.0.1", null, "staffLoginWrong"],
    ["/live/admin/enrol/finish", "10.0.0.1", "viewer", "succeeded"],
    ["/live/admin/enrol/begin", "10.0.0.1", null, "succeeded"],
  ]);
  const kept = JSON.stringify(await rows("staff", "SELECT * FROM t_staff_audit WHERE person = 'bob'"));
  for (const secretText of [password, totp, "wrong one here"]) expect(kept).not.toContain(secretText);
});

test("it is searched by person, route, about and time, and read page by page", async () => {
  const carol = await enrolledPerson(caller, "support", { name: "carol" });
  const about = newId();
  const began = new Date().toISOString();
  const calls: string[] = [];
  for (let made = 0; made < 7; made++) {
    const session = made % 2 ? carol.login.session : alice.login.session;
    calls.unshift((await begin({ session, about, route: made < 5 ? route : "/live/admin/other" })).callId);
  }
  const idsOf = async (filter: object) => (await audit(filter)).list.map(({ callId }) => callId);
  expect(await idsOf({ about })).toEqual(calls);
  expect(await idsOf({ about, person: "carol" })).toEqual(calls.filter((_, at) => at % 2 === 1));
  expect(await idsOf({ about, route: "/live/admin/other" })).toEqual(calls.slice(0, 2));
  expect(await idsOf({ from: began })).toEqual(calls);
  expect(await idsOf({ about, to: began })).toEqual([]);
  expect(await idsOf({ about, from: "2099-01-01T00:00:00.000Z" })).toEqual([]);
  expect(await idsOf({ about, to: "2099-01-01T00:00:00.000Z" })).toEqual(calls);
  const read: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page: Awaited<ReturnType<typeof audit>> = await audit({ about, limit: 3, ...(cursor ? { cursor } : {}) });
    read.push(...page.list.map(({ callId }) => callId));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  expect(read).toEqual(calls);
});
