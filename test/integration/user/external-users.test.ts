import type { ServiceBroker as Broker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import user from "../../../services/user/user.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

let nodes: [Broker, Broker];
/** A node without the user service, so that every call goes over the bus. */
let caller: Broker;
let database: Database;

beforeAll(async () => {
  nodes = [await startNode("user-1", [user]), await startNode("user-2", [user])];
  caller = await startNode("caller", []);
  await Promise.all(nodes.map((node) => waitForNode(caller, "user", node.nodeID)));
  database = new Database(databaseName("user"));
});

afterAll(async () => {
  await database.close();
  await stopAll();
});

const on = (node: number) => ({ nodeID: (nodes[node % 2] as Broker).nodeID });
const of = (params: ParamsOf<"user.ofExternal">, node = 0) => call(caller, "user.ofExternal", params, on(node));
const profileOf = (userId: string) => call(caller, "user.profile", { userId });

let made = 0;
const newId = () => `${process.pid}-${Date.now()}-${++made}`;

test("a thousand first requests of one external id, over two nodes at once, make one user and one event", async () => {
  const externalId = newId();
  const params = { externalId, nickName: "Lin" };
  const outcomes = await Promise.all(
    Array.from({ length: 1_000 }, (_, at) => call(caller, "user.ofExternal", params, { ...on(at), timeout: 25_000 })),
  );
  expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
  const [userId, ...others] = new Set(outcomes.map((outcome) => outcome.userId));
  expect(others).toEqual([]);
  expect(BigInt(userId as string)).toBeGreaterThan(2n ** 53n);
  expect(await profileOf(userId as string)).toEqual({ userId, nickName: "Lin", avatar: "" });
  const rows = await database.query("SELECT user_id FROM t_user_external WHERE external_id = ?", [externalId]);
  expect(rows).toEqual([{ user_id: userId }]);
  const events = await database.query<{ payload: unknown }>("SELECT * FROM t_outbox WHERE order_key = ?", [userId]);
  expect(events).toHaveLength(1);
  expect(JSON.stringify(events[0])).toContain("externalId");
});

test("ids that differ in case, in a space at the end or in the form of a letter are users of their own", async () => {
  const base = newId();
  const ids = [
    `${base}a`,
    `${base}A`,
    `${base}a `,
    ` ${base}a`,
    `${base}é`,
    `${base}e\u0301`,
    `${base}😀`,
    `${base}😁`,
  ];
  const users = await Promise.all(ids.map((externalId, at) => of({ externalId }, at)));
  expect(new Set(users.map(({ userId }) => userId)).size).toBe(ids.length);
  const expected = ids.map((externalId, at) => ({ externalId, userId: users[at]?.userId }));
  const sorted = (list: object[]) => list.map((one) => JSON.stringify(one, ["externalId", "userId"])).sort();
  const found = await call(caller, "user.idsOfExternal", { externalIds: [...ids, `${base}x`, `${base}a  `] });
  expect(sorted(found.list)).toEqual(sorted(expected));
  const back = await call(caller, "user.externalIdsOf", { userIds: [...users.map(({ userId }) => userId), "17"] });
  expect(sorted(back.list)).toEqual(sorted(expected));
});

test("64 emoji and quotes are kept as they are", async () => {
  for (const externalId of ["😀".repeat(64), `'"\\%_${newId()}`]) {
    const { userId } = await of({ externalId });
    expect((await call(caller, "user.externalIdsOf", { userIds: [userId] })).list).toEqual([{ externalId, userId }]);
    expect(await of({ externalId }, 1)).toEqual({ userId, created: false });
  }
});

test("an id that is another user's own id makes a user of its own", async () => {
  const { userId } = await of({ externalId: newId() });
  const second = await of({ externalId: userId });
  expect(second.created).toBe(true);
  expect(second.userId).not.toBe(userId);
});

test("given names are written where they differ, those that are left out stay", async () => {
  const externalId = newId();
  const { userId } = await of({ externalId });
  expect((await profileOf(userId)).nickName).toMatch(/^旗鱼用户-\d{6}$/);
  await of({ externalId, nickName: "Lin", avatar: "https://a.example/1.png" }, 1);
  expect(await profileOf(userId)).toEqual({ userId, nickName: "Lin", avatar: "https://a.example/1.png" });
  await of({ externalId, avatar: "" });
  expect(await profileOf(userId)).toEqual({ userId, nickName: "Lin", avatar: "" });
  await of({ externalId });
  expect((await profileOf(userId)).nickName).toBe("Lin");
});

test.each([
  ["no id", {}],
  ["an empty id", { externalId: "" }],
  ["65 characters", { externalId: "x".repeat(65) }],
  ["a NUL", { externalId: "a\0" }],
  ["a number", { externalId: 12 }],
  ["a name of 31 characters", { externalId: "a", nickName: "x".repeat(31) }],
  ["a name of two lines", { externalId: "a", nickName: "x\ny" }],
])("%s is refused", async (_what, params) => {
  const answer = of(params as ParamsOf<"user.ofExternal">).catch(failureName);
  expect(await answer).toBe("invalidParam");
});

test("one login of a user of the platform is revoked by its claims, unless it would be kept longer than a token's", async () => {
  const { userId } = await of({ externalId: newId() });
  const now = Date.now();
  const claims = { userId, sessionId: 17, issuedAt: now, expiresAt: now + limits.user.tokenTtlMs };
  const revocation = { userId, sessionId: 17, issuedUntil: now, expiresAt: claims.expiresAt };
  for (let time = 1; time <= 2; time++) expect(await call(caller, "user.revokeLogin", claims)).toEqual(revocation);
  const rows = await database.query("SELECT session_id FROM t_revocation WHERE user_id = ?", [userId]);
  expect(rows).toEqual([{ session_id: "17" }]);
  const late = { ...claims, expiresAt: claims.expiresAt + 2 * limits.user.issuedAheadMs };
  expect(await call(caller, "user.revokeLogin", late).catch(failureName)).toBe("invalidParam");
});

test("a user of the platform logs out everywhere until the time of a platform whose clock is 60 s ahead", async () => {
  const { userId } = await of({ externalId: newId() });
  const revoked = await call(caller, "user.logoutAll", { userId });
  expect(revoked).toMatchObject({ userId, sessionId: 0 });
  const [row] = await database.query<{ until: string }>(
    "SELECT last_issued_ms + ? AS until FROM t_user WHERE user_id = ?",
    [limits.jwt.leewayMs, userId],
  );
  expect(revoked.issuedUntil).toBe(Number(row?.until));
});
