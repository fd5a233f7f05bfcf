/** The table of who may call what (services/access.ts) against the code that calls. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serviceNames } from "../../../../broker/service-names.ts";
import { projectRoot } from "../../../../config/root.ts";
import { actionCallers, broadcastSenders, mayCall, maySend } from "../../../../services/access.ts";
import { carriedOut } from "../../../../services/staff/carried-out.contract.ts";

/** The code below a folder, without comments. */
function codeOf(folder: string): string {
  const root = join(projectRoot(), folder);
  const files = (readdirSync(root, { recursive: true }) as string[]).filter((file) => file.endsWith(".ts"));
  return files
    .map((file) => readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ""))
    .join("\n");
}

/** Modules that may call for the service that uses them, by what stands in its code then. */
const callingModules = new Map([
  ["externalRooms(", "services/external-rooms.ts"],
  ["restrictionsMixin", "services/restrictions.mixin.ts"],
  ["webhookRoutes", "services/webhook-routes.ts"],
]);

/** Whether a module that the code uses has the action. */
const callsByModule = (text: string, action: string) =>
  [...callingModules].some(
    ([use, file]) => text.includes(use) && readFileSync(join(projectRoot(), file), "utf8").includes(`"${action}"`),
  );

/** Who names an action or broadcast in its code, other than the service that has it. */
const code = new Map([
  ...serviceNames.map((name) => [name, codeOf(`services/${name}`)] as const),
  ["console", codeOf("scripts")] as const,
]);

/** For the service that runs battles. */
const forBattles = ["gift.settledBefore", "gift.totals", "living-room.linkGuest", "living-room.unlinkGuest"].map(
  (action) => `${action} by console`,
);

/** Calls of a service to its own other nodes have this form; other mentions of own actions are none. */
const callsItself = (text: string, action: string) => new RegExp(`\\bcall\\([^"]*"${action}"`).test(text);

test("every caller in the code is in the table, and every row of the table has its code", () => {
  // Every service has health, and the gateways make its name. What has streams and consumers made is called by every
  // service with streams, through mixins/jetstream/remote-provisioning.ts; test/unit/stream-access.test.ts compares it.
  const made = (action: string) => action.endsWith(".health") || /^provisioner\.(make|mark)[A-Z]/.test(action);
  // One gift by itself: the gateway sends it in a group.
  const unused = new Set(["gift.send by api-gateway", ...forBattles]);
  const problems: string[] = [];
  for (const action of actionCallers.keys())
    for (const [caller, text] of code) {
      const own = action.startsWith(`${caller}.`);
      const calls = own ? callsItself(text, action) : text.includes(`"${action}"`);
      const what = `${action} by ${caller}`;
      const may = mayCall(caller, action);
      if (!made(action) && calls !== may && !(may && callsByModule(text, action)) && !unused.has(what))
        problems.push(what);
    }
  expect(problems).toEqual([]);
});

test("health is the two gateways' to ask of every service, themselves among them", () => {
  for (const service of serviceNames) {
    const callers = [...serviceNames, "console"].filter((role) => mayCall(role, `${service}.health`));
    expect(callers).toEqual(["api-gateway", "admin-gateway"]);
  }
});

test("every sender of a broadcast in the code is in the table, and no other", () => {
  for (const event of broadcastSenders.keys())
    for (const [sender, text] of code)
      expect([event, sender, new RegExp(`broadcast\\([^"]*"${event}"`).test(text)]).toEqual([
        event,
        sender,
        maySend(sender, event),
      ]);
});

test("what moves coins has one caller each, and none of them faces users", () => {
  expect(actionCallers.get("wallet.consumeForSendGift")).toEqual(["gift"]);
  for (const action of [
    "wallet.payout",
    "wallet.holdIncome",
    "wallet.releaseHold",
    "wallet.holdFree",
    "wallet.releaseFree",
  ])
    expect([action, actionCallers.get(action)]).toEqual([action, ["staff"]]);
  for (const action of ["payment.refund", "payment.releaseOrder", "platform.adjustByStaff", "platform.decide"])
    expect([action, actionCallers.get(action)]).toEqual([action, ["staff"]]);
  expect(actionCallers.get("wallet.platformOrder")).toEqual(["platform"]);
  const byImServer = [...actionCallers.keys()].filter((action) => mayCall("im-server", action));
  const ofPeople = byImServer.filter((action) => /^(wallet|payment|gift|user)\./.test(action));
  expect(ofPeople).toEqual(["user.restrictionsSince"]);
});

test("what the staff service carries out for a person no door may do itself", () => {
  for (const { action } of Object.values(carriedOut)) {
    const others = (actionCallers.get(action) ?? []).filter((caller) => caller !== "console");
    expect([action, others]).toEqual([action, ["staff"]]);
  }
  expect(actionCallers.get("staff.carryOut")).toEqual(["admin-gateway"]);
});

test("a role has the rights of its services together; what is no role, and what is not in the table, has none", () => {
  expect(mayCall("gift+wallet", "wallet.checkFunds")).toBe(true);
  expect(mayCall("all", "payment.creditsOf")).toBe(false);
  expect(mayCall("all", "wallet.creditsOf")).toBe(true);
  expect(mayCall("console", "wallet.payout")).toBe(false);
  expect(mayCall("admin-gateway", "wallet.payout")).toBe(false);
  expect(mayCall("console", "wallet.freeze")).toBe(false);
  for (const role of ["", "gift+", "Gift", "gift+*", "intruder", "admin", "constructor", "__proto__"]) {
    expect([...actionCallers.keys()].filter((action) => mayCall(role, action))).toEqual([]);
    expect([...broadcastSenders.keys()].filter((event) => maySend(role, event))).toEqual([]);
  }
  // A service of another release gives a node of many no right here.
  const ofGift = [...actionCallers.keys()].filter((action) => mayCall("gift", action));
  expect([...actionCallers.keys()].filter((action) => mayCall("gift+intruder", action))).toEqual(ofGift);
  for (const action of ["wallet.mint", "$node.options", "$node.services", "constructor", ""])
    for (const role of ["all", "console", "api-gateway"]) expect(mayCall(role, action)).toBe(false);
});
