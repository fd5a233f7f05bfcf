import { randomUUID } from "node:crypto";
import type { ServiceBroker as Broker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import user from "../../../services/user/user.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What staff look up of users; the service and its caller are different nodes. */

let caller: Broker;
let node: Broker;
let database: Database;
const operator = "staff:ann";

beforeAll(async () => {
  node = await startNode("user-1", [user]);
  caller = await startNode("caller", [notification]);
  await waitForNode(caller, "user", node.nodeID);
  await node.waitForServices(["notification"]);
  database = new Database(databaseName("user"));
});
afterAll(async () => {
  await database.close();
  await stopAll();
});

let numbers = 0;
/** A phone with this end, of 4 to 8 digits. */
const phoneWith = (end: string) => `139${String(++numbers).padStart(8 - end.length, "0")}${end}`;
async function registered(phone: string): Promise<string> {
  const { devCode } = await call(caller, "user.sendLoginCode", { phone });
  return (await call(caller, "user.login", { phone, code: devCode as string })).userId;
}
const find = (q: string, mayPhone = true) => call(caller, "user.find", { q, mayPhone });
const foundIds = async (q: string) => (await find(q)).list.map(({ userId }) => userId);
const failureOf = (promise: Promise<unknown>) => promise.then(() => "none", failureName);

describe("a search", () => {
  test("by the end of a phone finds everybody whose phone ends so, and shows the last four digits of each", async () => {
    const [one, other] = [phoneWith("7301"), phoneWith("7301")];
    const ids = [await registered(one), await registered(other)];
    await registered(phoneWith("7302"));
    const { list, more } = await find("7301");
    expect(list.map(({ userId }) => userId).toSorted()).toEqual(ids.toSorted());
    expect(list.map(({ phoneEnd, by }) => [phoneEnd, by])).toEqual([
      ["7301", "phoneEnd"],
      ["7301", "phoneEnd"],
    ]);
    expect(more).toBe(false);
    // Eight digits tell them apart, and not one digit more is shown.
    const exact = await find(one.slice(-8));
    expect(exact.list).toMatchObject([{ userId: ids[0], phoneEnd: "7301" }]);
    expect(await foundIds(one.slice(-9))).toEqual([]);
    // Who may not see phones learns no fifth digit.
    for (const q of [one, one.slice(-5), one.slice(-8)]) expect((await find(q, false)).list).toEqual([]);
    expect((await find("7301", false)).list).toHaveLength(2);
  });

  test("by a phone in full, by the user id and by the id at the platform finds the one user", async () => {
    const phone = phoneWith("4410");
    const userId = await registered(phone);
    const externalId = `client ${randomUUID()}`;
    const external = await call(caller, "user.ofExternal", { externalId, nickName: "小鱼" });
    expect((await find(phone)).list).toMatchObject([{ userId, by: "phone", externalId: null, phoneEnd: "4410" }]);
    expect((await find(userId)).list).toMatchObject([{ userId, by: "userId" }]);
    const shown = { userId: external.userId, by: "externalId", externalId, phoneEnd: null, nickName: "小鱼" };
    expect((await find(externalId)).list).toEqual([shown]);
  });

  test("of what nobody has finds nobody, also with signs that a pattern would take for any digit", async () => {
    await registered(phoneWith("9090"));
    for (const q of ["0909", "%9090", "_090", "9090 ", "__________", "99999999999999999999", "' OR 1=1"])
      expect([q, await foundIds(q)]).toEqual([q, []]);
    expect(await failureOf(find(""))).toBe("invalidParam");
    expect(await failureOf(find("x".repeat(limits.lookup.queryChars + 1)))).toBe("invalidParam");
  });

  test("with more hits than are shown says so", async () => {
    const users = limits.lookup.usersFound + 1;
    const values = Array.from({ length: users }, (_, n) => [8_000 + n, `137${String(n).padStart(4, "0")}6606`]);
    for (const [userId, phone] of values) {
      const time = "UTC_TIMESTAMP(3)";
      await database.run(
        `INSERT INTO t_user (user_id, nick_name, create_time, update_time) VALUES (?, 'u', ${time}, ${time})`,
        [userId],
      );
      await database.run(
        `INSERT INTO t_user_phone (user_id, phone, create_time, update_time) VALUES (?, ?, ${time}, ${time})`,
        [userId, phone],
      );
    }
    const { list, more } = await find("6606");
    expect([list.length, more]).toEqual([limits.lookup.usersFound, true]);
  });
});

test("of a phone nothing but the last four digits leaves the service, unless the phone is asked for", async () => {
  const phone = phoneWith("5150");
  const userId = await registered(phone);
  const answers = [
    await find(phone),
    await find("5150"),
    await call(caller, "user.profileForStaff", { userId }),
    await call(caller, "user.sessionsOf", { userId }),
    await call(caller, "user.profile", { userId }),
  ];
  // Digits of random ids may be those of the phone, and are nothing of it.
  const text = JSON.stringify(answers, (key, value) => (key === "sessionId" ? "" : value))
    .replaceAll(userId, "")
    .replaceAll(userId.slice(-6), "");
  for (const part of [phone, phone.slice(-8), phone.slice(-5), phone.slice(0, 7)]) expect(text).not.toContain(part);
  expect(await call(caller, "user.phoneOf", { userId, operator, reason: "a refund by hand" })).toEqual({ phone });
  expect(await failureOf(call(caller, "user.phoneOf", { userId, operator, reason: "" }))).toBe("invalidParam");
  expect(await failureOf(call(caller, "user.phoneOf", { userId: "77", operator, reason: "x" }))).toBe("userUnknown");
  const { userId: without } = await call(caller, "user.ofExternal", { externalId: randomUUID() });
  expect(await call(caller, "user.phoneOf", { userId: without, operator, reason: "x" })).toEqual({ phone: null });
});

test("a user's sessions are listed, newest first, and ended all at once by staff; a later login has one again", async () => {
  const phone = phoneWith("2222");
  const userId = await registered(phone);
  await registered(phone);
  const { list } = await call(caller, "user.sessionsOf", { userId });
  expect(list).toHaveLength(2);
  expect(list.map(({ createTime }) => createTime)).toEqual(
    list
      .map(({ createTime }) => createTime)
      .toSorted()
      .reverse(),
  );
  for (const { createTime, expiresTime } of list)
    expect(Date.parse(expiresTime) - Date.parse(createTime)).toBe(limits.user.tokenTtlMs);
  expect(await call(caller, "user.profileForStaff", { userId })).toMatchObject({
    userId,
    phoneEnd: "2222",
    sessions: 2,
  });

  const since = (await call(caller, "user.revocations", { since: 0 })).now;
  expect(await call(caller, "user.endSessionsForStaff", { userId, operator, reason: "taken over" })).toEqual({
    ended: 2,
  });
  const revoked = (await call(caller, "user.revocations", { since: since - 10_000 })).list;
  expect(revoked.filter((one) => one.userId === userId)).toMatchObject([{ sessionId: 0 }]);
  expect((await call(caller, "user.sessionsOf", { userId })).list).toEqual([]);
  expect(await call(caller, "user.endSessionsForStaff", { userId, operator, reason: "again" })).toEqual({ ended: 0 });
  await registered(phone);
  expect((await call(caller, "user.sessionsOf", { userId })).list).toHaveLength(1);
  const nobody = call(caller, "user.endSessionsForStaff", { userId: "77", operator, reason: "x" });
  expect(await failureOf(nobody)).toBe("userUnknown");
});
