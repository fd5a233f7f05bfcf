import { Errors, type ServiceBroker } from "moleculer";
import { fail, failureName, mayHaveHappened } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { tokenKeys } from "../../../services/token-keys.ts";
import { codeKeysOf } from "../../../services/user/login-codes.ts";
import { purgeDays } from "../../../services/user/sms-day-store.ts";
import user from "../../../services/user/user.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

// The settings are read when the first node starts.
process.env.LOGIN_CODES_PER_PHONE_PER_DAY = "3";
process.env.SMS_BUDGET_PER_DAY = "8";

let failure: (() => Error) | undefined;
let sent = 0;
const provider = {
  name: "notification",
  actions: {
    sendLoginCode() {
      if (failure) throw failure();
      sent++;
      return { shownToCaller: true };
    },
  },
};

let node: ServiceBroker;
let caller: ServiceBroker;
let database: Database;
const redis = openRedis("test");

/** Longer than the tests of this file take together. */
const fileMs = 45_000;
const dayMs = 24 * 3_600_000;

beforeAll(async () => {
  // Codes are counted by days of Beijing: one that ends while the tests run is waited out.
  const leftMs = dayMs - ((Date.now() + 8 * 3_600_000) % dayMs);
  if (leftMs < fileMs) await new Promise((resolve) => setTimeout(resolve, leftMs + 500));
  node = await startNode("user", [user]);
  caller = await startNode("caller", [provider]);
  await waitForNode(caller, "user", node.nodeID);
  await node.waitForServices(["notification"]);
  database = new Database(databaseName("user"));
  await redis.connect();
}, 90_000);
afterAll(async () => {
  await database.close();
  redis.disconnect();
  await stopAll();
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "sent",
    (error) => failureName(error) ?? error,
  );
/** Requests a code, and uses it up where there is one, so that the next may be requested at once. */
async function request(phone: string, address = ""): Promise<unknown> {
  const requested = call(caller, "user.sendLoginCode", { phone, address });
  const result = await outcome(requested);
  if (result === "sent") await call(caller, "user.login", { phone, address, code: (await requested).devCode ?? "" });
  return result;
}
const keysOf = (phone: string) => codeKeysOf(tokenKeys().signing, phone);
const metric = (name: string, why?: string) =>
  [...(node.metrics.list({ includes: name })[0]?.values.values() ?? [])].find(
    ({ labels }) => why === undefined || labels.why === why,
  )?.value;

test("a phone gets so many codes a day and no more, whatever becomes of Redis; an unsent one does not count", async () => {
  const phone = "13810000001";
  failure = () => fail("unavailable", { what: "SMS provider" });
  for (let n = 0; n < 4; n++) expect(await outcome(call(caller, "user.sendLoginCode", { phone }))).not.toBe("sent");
  failure = undefined;
  for (let n = 0; n < 3; n++) expect(await request(phone)).toBe("sent");
  await redis.del(...keysOf(phone));
  expect([await request(phone), await request(phone)]).toEqual(["smsPhoneLimit", "smsPhoneLimit"]);
  // What was refused left no code that nobody was sent.
  expect(await redis.exists(keysOf(phone)[0])).toBe(0);
  expect(await request("13810000002")).toBe("sent");
  expect([sent, metric("ovation.sms.sent"), metric("ovation.sms.refused", "phone")]).toEqual([4, 4, 2]);
});

test("the budget of the day ends for all phones at once, also in parallel, with an outcome of its own", async () => {
  const phones = Array.from({ length: 10 }, (_, n) => `1382000000${n}`);
  const outcomes = await Promise.all(phones.map((phone) => request(phone)));
  expect(outcomes.filter((one) => one === "sent")).toHaveLength(4);
  expect(outcomes.filter((one) => one === "smsBudgetSpent")).toHaveLength(6);
  expect([sent, metric("ovation.sms.budget")]).toEqual([8, 8]);
  // The answers to two commits may change places.
  expect(metric("ovation.sms.today")).toBeGreaterThanOrEqual(7);
  // A phone that was refused for the budget has used up none of its own.
  const [row] = await database.query<{ sent: number }>("SELECT SUM(sent) AS sent FROM t_sms_day WHERE phone <> ''");
  expect(Number(row?.sent)).toBe(8);
});

let unsureCases = 0;
test.each([
  ["did not answer the webhook", () => fail("unavailable", { what: "SMS provider", mayHaveHappened: true })],
  ["did not answer the call", () => new Errors.RequestTimeoutError({ action: "notification.sendLoginCode" })],
  ["left during the call", () => new Errors.RequestRejectedError({ action: "notification.sendLoginCode" })],
  ["failed in a way that nobody expected", () => new Error("a fault")],
])("a code counts as sent, and is the one that is valid, where the provider %s", async (_what, unsure) => {
  await database.run("DELETE FROM t_sms_day");
  const phone = `1383000000${unsureCases++}`;
  failure = unsure;
  const error = await call(caller, "user.sendLoginCode", { phone }).catch((thrown: unknown) => thrown);
  failure = undefined;
  if (failureName(error) === "unavailable") expect(mayHaveHappened(error)).toBe(true);
  else expect(error).toBeInstanceOf(Error);
  expect(await redis.exists(keysOf(phone)[0])).toBe(1);
  const counts = await database.query<{ phone: string; sent: number }>("SELECT phone, sent FROM t_sms_day");
  expect(counts.map((row) => [row.phone, Number(row.sent)]).sort()).toEqual([
    ["", 1],
    [phone, 1],
  ]);
  expect(await request(phone)).toBe("smsTooOften");
});

describe("a stranger who requests codes for a phone", () => {
  const owner = "2001:db8:1:2::/64";
  /** Requests a code that nobody uses, and lets it run out at once. */
  const waste = async (phone: string, address: string) => {
    const result = await outcome(call(caller, "user.sendLoginCode", { phone, address }));
    await redis.del(keysOf(phone)[0]);
    return result;
  };
  beforeEach(() => database.run("DELETE FROM t_sms_day"));

  test("gets three from one address that nobody uses, and the owner the rest of the day's", async () => {
    const phone = "13850000001";
    // The phone has a greater limit than these tests give it: its count begins anew.
    const again = () => database.run("DELETE FROM t_sms_day");
    for (let n = 0; n < 3; n++) expect(await waste(phone, "198.51.100.1")).toBe("sent");
    await again();
    expect(await waste(phone, "198.51.100.1")).toBe("smsPhoneLimit");
    // What was refused is not counted, and a code that is used does not count for its address.
    expect(await database.query("SELECT sent FROM t_sms_day")).toEqual([]);
    for (let n = 0; n < 3; n++) expect(await request(phone, owner)).toBe("sent");
    await again();
    expect(await request(phone, owner)).toBe("sent");
    // Those of another day do not count.
    await again();
    await database.run("UPDATE t_sms SET send_time = send_time - INTERVAL 1 DAY WHERE phone = ?", [phone]);
    expect(await waste(phone, "198.51.100.1")).toBe("sent");
  });

  test("from many addresses uses up the day's for new addresses, and not for one that has logged in with the phone", async () => {
    const phone = "13850000002";
    expect(await request(phone, owner)).toBe("sent");
    await database.run("DELETE FROM t_sms_day");
    for (let n = 1; n <= 3; n++) expect(await waste(phone, `198.51.100.${n}`)).toBe("sent");
    expect(await waste(phone, "198.51.100.9")).toBe("smsPhoneLimit");
    for (let n = 0; n < 3; n++) expect(await waste(phone, owner)).toBe("sent");
    expect(await waste(phone, owner)).toBe("smsPhoneLimit");
  });

  test("cannot burn his code for an address that has logged in with the phone, which types the code that arrives", async () => {
    const phone = "13850000003";
    expect(await request(phone, owner)).toBe("sent");
    const { devCode = "" } = await call(caller, "user.sendLoginCode", { phone, address: "198.51.100.1" });
    const wrong = devCode === "000000" ? "000001" : "000000";
    const from = (address: string, code: string) => outcome(call(caller, "user.login", { phone, address, code }));
    const { smsWrongTries, smsWrongTriesOfOthers } = limits.user;
    for (let n = 0; n < smsWrongTries; n++) expect(await from("198.51.100.1", wrong)).toBe("smsCodeWrong");
    for (let n = 0; n < smsWrongTriesOfOthers; n++)
      expect(await from(`198.51.100.${10 + n}`, wrong)).toBe("smsCodeWrong");
    expect(await from("198.51.100.99", devCode)).toBe("smsCodeExpired");
    for (let n = 1; n < smsWrongTries; n++) expect(await from(owner, wrong)).toBe("smsCodeWrong");
    expect(await from(owner, devCode)).toBe("sent");
  });
});

test("the counts of past days are removed, today's are not", async () => {
  expect(await request("13840000001")).toBe("sent");
  await database.run("UPDATE t_sms_day SET day = day - INTERVAL 4 DAY WHERE phone = '13840000001'");
  const count = async () => Number((await database.query<{ n: number }>("SELECT COUNT(*) AS n FROM t_sms_day"))[0]?.n);
  const before = await count();
  expect(await purgeDays(database, 3, 1_000)).toBe(false);
  expect(await count()).toBe(before - 1);
});
