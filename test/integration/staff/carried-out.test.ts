import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import auditor from "../../../services/auditor/auditor.service.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import payment from "../../../services/payment/payment.service.ts";
import platform from "../../../services/platform/platform.service.ts";
import { type CarriedOut, carriedOut } from "../../../services/staff/carried-out.contract.ts";
import { roleHas, type StaffRole } from "../../../services/staff-roles.ts";
import user from "../../../services/user/user.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { enrolledPerson, staff } from "../../support/staff.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What the staff service asks of other services for a person, over NATS; the other services are stand-ins. */

jest.setTimeout(60_000);

const all = Object.keys(carriedOut) as CarriedOut[];
const heard: { action: string; params: Record<string, unknown> }[] = [];
let door: ServiceBroker;
let makers: ServiceBroker;

/** Services that keep what they are asked; without a `reason` freezing fails. */
function standIns(): ServiceSchema[] {
  const names = new Map<string, string[]>();
  for (const { action } of Object.values(carriedOut)) {
    const [service = "", name = ""] = action.split(".");
    names.set(service, [...(names.get(service) ?? []), name]);
  }
  const answer = (action: string) => (ctx: Context<Record<string, unknown>>) => {
    heard.push({ action, params: ctx.params });
    if (ctx.params.reason === "") throw fail("invalidParam", { field: "reason" });
    return { did: action };
  };
  return [...names].map(([name, actions]) => ({
    name,
    actions: Object.fromEntries(actions.map((one) => [one, answer(`${name}.${one}`)])),
  }));
}

beforeAll(async () => {
  const nodes = [await startNode("staff", [staff]), await startNode("others", standIns())];
  makers = await startNode("makers", []);
  door = await startNode("door", [], "admin-gateway");
  for (const broker of [makers, door]) await waitForNode(broker, "staff", (nodes[0] as ServiceBroker).nodeID);
  await nodes[0]?.waitForServices([
    ...new Set(Object.values(carriedOut).map(({ action }) => action.slice(0, action.indexOf(".")))),
  ]);
});
beforeEach(() => {
  heard.length = 0;
});
afterAll(stopAll);

const carry = (session: string, what: CarriedOut, params: Record<string, unknown> = {}) =>
  call(door, "staff.carryOut", { session, what, params });
const outcomeOf = (work: Promise<unknown>) => work.then(() => "done", failureName);

test.each(["viewer", "support", "finance", "admin"] as StaffRole[])(
  "a %s has carried out what the role has the right to, under no other name than the person's",
  async (role) => {
    const { name, login } = await enrolledPerson(makers, role);
    for (const what of all) {
      heard.length = 0;
      const { action, right } = carriedOut[what];
      const may = roleHas(role, right);
      const answer = carry(login.session, what, { reason: "r", operator: "staff:somebody-else" });
      if (may) expect(await answer).toEqual({ did: action });
      else expect([what, await outcomeOf(answer)]).toEqual([what, "roleMissing"]);
      expect(heard).toEqual(may ? [{ action, params: { reason: "r", operator: `staff:${name}` } }] : []);
    }
  },
);

test("what the service that does it does not audit has sealed rows of the staff service, also where the door never began it", async () => {
  const audited = new Map<string, boolean>();
  for (const { name, actions } of [auditor, gift, payment, platform, user, wallet] as ServiceSchema[])
    for (const [one, action] of Object.entries(actions ?? {}))
      audited.set(`${name}.${one}`, (action as { operator?: boolean }).operator === true);
  const { name, login } = await enrolledPerson(makers, "admin");
  for (const what of all) {
    const entry: { action: string; notedHere?: true } = carriedOut[what];
    expect([what, audited.get(entry.action)]).toEqual([what, !entry.notedHere]);
    await carry(login.session, what, { userId: "77", reason: "a call" });
  }
  const found = await rows(
    "staff",
    `SELECT c.action, c.params, o.outcome FROM t_operator_audit c JOIN t_operator_audit o ON o.call_id = c.id
     WHERE c.operator = ?`,
    [`staff:${name}`],
  );
  const params = JSON.stringify({ userId: "77", reason: "a call" });
  expect(found).toEqual([{ action: "user.phoneOf", params, outcome: "succeeded" }]);
});

test("without a session that counts a door has nothing carried out, and asks none of the services itself", async () => {
  for (const session of ["x", "token:", "token:guessed"])
    for (const what of all) expect(await outcomeOf(carry(session, what, { reason: "r" }))).toBe("notLoggedIn");
  for (const { action } of Object.values(carriedOut))
    await expect(door.call(action, { reason: "r", operator: "staff:ada" })).rejects.toMatchObject({
      type: expect.stringMatching(/^(callerRefused|SERVICE_NOT_FOUND)$/),
    });
  expect(heard).toEqual([]);
});

test("a failure of the action is the answer, and nothing outside the table is carried out", async () => {
  const { login } = await enrolledPerson(makers, "admin");
  expect(await outcomeOf(carry(login.session, "freeze", { reason: "" }))).toBe("invalidParam");
  for (const what of ["wallet.freeze", "payout", "constructor", ""])
    expect(await outcomeOf(carry(login.session, what as CarriedOut))).toBe("invalidParam");
  expect(heard).toHaveLength(1);
});
