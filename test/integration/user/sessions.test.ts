import { createSecretKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServiceBroker as Broker } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { openRedis, type RedisState } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import { tokenKeys } from "../../../services/token-keys.ts";
import { readToken, signToken, type TokenClaims } from "../../../services/tokens.ts";
import { purgeExpired, revocationsFrom, writeRevocation } from "../../../services/user/session-store.ts";
import { endAllSessions, endSession, openSession } from "../../../services/user/sessions.ts";
import user from "../../../services/user/user.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { claimsOf, tokenOf } from "../../support/tokens.ts";

let nodes: [Broker, Broker];
/** A node without the user service, so that every call of the tests goes to another node. */
let caller: Broker;
let database: Database;
const redis = openRedis("test");

beforeAll(async () => {
  nodes = [await startNode("user-1", [user]), await startNode("user-2", [user])];
  caller = await startNode("caller", [notification]);
  await Promise.all(nodes.map((node) => waitForNode(caller, "user", node.nodeID)));
  await Promise.all(nodes.map((node) => node.waitForServices(["notification"])));
  database = new Database(databaseName("user"));
  await redis.connect();
});

afterAll(async () => {
  await database.close();
  redis.disconnect();
  await stopAll();
});

/** Cuts a node's connection to Redis at once; returns a function that restores it. */
async function cutRedis(node: Broker, service: string): Promise<() => Promise<void>> {
  const { redis: connection } = node.getLocalService(service) as unknown as RedisState;
  // The client does not clear this timer for commands that it refuses, and the test would wait for it at its end.
  connection.options.commandTimeout = undefined;
  const ended = once(connection, "end");
  connection.disconnect();
  await ended;
  return async () => {
    await connection.connect();
    connection.options.commandTimeout = limits.redis.commandTimeoutMs;
  };
}

let phones = 0;
const newPhone = () => `139${String(++phones).padStart(8, "0")}`;
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const login = async (phone = newPhone(), node: 0 | 1 = 0) => {
  const { devCode } = await call(caller, "user.sendLoginCode", { phone });
  return call(caller, "user.login", { phone, code: devCode as string }, on(node));
};
const mysqlOf = (node: 0 | 1) => (nodes[node].getLocalService("user") as unknown as MysqlState).mysql;
const { signing, all: keys } = tokenKeys();
const open = async (userId: string, node: 0 | 1 = 0) => (await openSession(mysqlOf(node), signing, userId)).token;
const claimsIn = (token: string): TokenClaims => {
  const read = readToken(keys, token);
  if ("fault" in read) throw new Error(read.fault);
  return read.claims;
};
const page = (since = 0, afterId = "0", node: 0 | 1 = 1) =>
  call(caller, "user.revocations", { since, afterId }, on(node));
/** The tokens that a gateway would still let in. */
const alive = async (tokens: readonly string[]) => {
  const { list } = await page();
  return tokens.filter((token) => {
    const { userId, sessionId, issuedAt } = claimsIn(token);
    const own = list.filter((revocation) => revocation.userId === userId);
    return !own.some((revocation) =>
      revocation.sessionId === 0 ? issuedAt <= revocation.issuedUntil : revocation.sessionId === sessionId,
    );
  });
};
/** The times of a token with a lifetime of a minute that expires so many ms from now. */
const timesOf = (expiresInMs: number) => ({
  issuedAt: Date.now() + expiresInMs - 60_000,
  expiresAt: Date.now() + expiresInMs,
});
const sessionsOf = (userId: string) =>
  database.query<{ session_id: string }>("SELECT session_id FROM t_session WHERE user_id = ?", [userId]);

describe("sessions", () => {
  test("a login gives a token that names its user, its session and 30 days; the session is a row, and Redis has nothing of it", async () => {
    const { userId, token } = await login();
    const claims = claimsIn(token);
    expect(claims).toMatchObject({ userId, expiresAt: claims.issuedAt + limits.user.tokenTtlMs });
    expect(Math.abs(claims.issuedAt - Date.now())).toBeLessThan(30_000);
    expect(await sessionsOf(userId)).toEqual([{ session_id: String(claims.sessionId) }]);
    const names = await redis.keys(`${redis.options.keyPrefix ?? ""}user:*`);
    expect(names.filter((name) => !name.includes("user:login-code:"))).toEqual([]);
  });

  test("each token of a user is issued later than the one before it, also in parallel logins on two nodes", async () => {
    const { userId } = await login();
    const tokens = await Promise.all(Array.from({ length: 12 }, (_, at) => open(userId, (at % 2) as 0 | 1)));
    const issued = tokens.map((token) => claimsIn(token).issuedAt);
    expect(new Set(issued).size).toBe(12);
    expect(claimsIn(await open(userId)).issuedAt).toBeGreaterThan(Math.max(...issued));
  });

  test("a token is revoked for every node once logout returned; the user's other tokens stay valid", async () => {
    const phone = newPhone();
    const first = await login(phone, 0);
    const second = await login(phone, 1);
    expect(second.userId).toBe(first.userId);
    const { userId, sessionId, issuedAt: issuedUntil, expiresAt } = claimsIn(first.token);
    const revoked = { userId, sessionId, issuedUntil, expiresAt };
    expect(await call(caller, "user.logout", { token: first.token }, on(0))).toEqual(revoked);
    expect(await alive([first.token, second.token])).toEqual([second.token]);
    expect(await call(caller, "user.logout", { token: first.token }, on(1))).toEqual(revoked);
    expect((await page()).list.filter((revocation) => revocation.sessionId === sessionId)).toEqual([revoked]);
    expect(await sessionsOf(userId)).toEqual([{ session_id: String(claimsIn(second.token).sessionId) }]);
  });

  test.each([
    ["no token", "no token at all"],
    ["empty", ""],
    ["huge", "A".repeat(5_000)],
    ["expired", tokenOf("7", { issuedAt: 1, expiresAt: 2 })],
    ["expired for longer than clocks differ", tokenOf("7", timesOf(-limits.user.tokenClockLeewayMs - 1))],
    ["issued in the far future", tokenOf("7", timesOf(limits.user.issuedAheadMs + 60_000 + 60_000))],
  ])("logout of what is %s writes nothing", async (_what, token) => {
    expect(await call(caller, "user.logout", { token })).toBeNull();
    expect((await page()).list.filter(({ userId }) => userId === "7")).toEqual([]);
  });

  test("logout of a token that this node cannot verify is unavailable, and writes nothing: the caller has verified it", async () => {
    const other = createSecretKey(randomBytes(32));
    for (const id of ["a-newer-key", signing.id]) {
      const token = signToken({ id, secret: other }, claimsOf("7"));
      expect([id, await call(caller, "user.logout", { token }).catch(isUnavailable)]).toEqual([id, true]);
    }
    expect((await page()).list.filter(({ userId }) => userId === "7")).toEqual([]);
  });

  test("logout revokes a token that may be valid at a caller whose clock is late", async () => {
    const token = tokenOf("8", timesOf(-limits.user.tokenClockLeewayMs / 2));
    const { sessionId } = claimsIn(token);
    expect(await call(caller, "user.logout", { token })).toMatchObject({ userId: "8", sessionId });
    expect((await page()).list).toContainEqual(expect.objectContaining({ sessionId }));
  });

  test("a token whose session's row was lost is revoked all the same, alone and with all of the user's", async () => {
    const { userId, token } = await login();
    const other = await open(userId);
    await database.run("DELETE FROM t_session WHERE user_id = ?", [userId]);
    await call(caller, "user.logout", { token });
    expect(await alive([token, other])).toEqual([other]);
    await call(caller, "user.logoutAll", { userId });
    expect(await alive([token, other])).toEqual([]);
  });

  test("a user keeps the newest sessions up to the bound, also of parallel logins", async () => {
    const { userId, token: oldest } = await login();
    const more = limits.user.tokensPerUser;
    const tokens: string[] = [];
    for (let at = 0; at < more; at++) tokens.push(await open(userId));
    expect(await alive([oldest, ...tokens])).toEqual(tokens);

    const newer = await Promise.all(Array.from({ length: 2 * more }, (_, at) => open(userId, (at % 2) as 0 | 1)));
    const byIssue = newer.sort((a, b) => claimsIn(a).issuedAt - claimsIn(b).issuedAt);
    expect(await alive([...tokens, ...newer])).toEqual(byIssue.slice(-more));
    expect(await sessionsOf(userId)).toHaveLength(more);
  });

  test("sessions that were logged out do not count: the others stay within the bound", async () => {
    const { userId, token: phone } = await login();
    for (let at = 0; at < limits.user.tokensPerUser + 5; at++)
      await call(caller, "user.logout", { token: await open(userId) });
    expect(await alive([phone])).toEqual([phone]);
  });
});

describe("logoutAll", () => {
  test("revokes every token issued until then; a login afterwards is valid, within the same ms too", async () => {
    const phone = newPhone();
    const { userId, token } = await login(phone);
    const tokens = [token, await open(userId), await open(userId, 1)];
    const revocation = await call(caller, "user.logoutAll", { userId }, on(1));
    const after = await Promise.all([open(userId, 0), open(userId, 1)]);
    expect(await alive([...tokens, ...after])).toEqual(after);
    for (const lives of after) expect(claimsIn(lives).issuedAt).toBeGreaterThan(revocation.issuedUntil);
    expect(await sessionsOf(userId)).toHaveLength(2);
  });

  test("and logins that run at the same time on two nodes come one after the other, whatever their clocks say", async () => {
    const { userId } = await login();
    // The user's last time lies ahead of every clock, as after a clock that was wrong.
    await database.run("UPDATE t_user SET last_issued_ms = last_issued_ms + 20000 WHERE user_id = ?", [userId]);
    const early = await Promise.all([open(userId, 0), open(userId, 1)]);
    const [revoked, ...during] = await Promise.all([
      endAllSessions(mysqlOf(0), userId),
      ...Array.from({ length: 8 }, (_, at) => open(userId, (at % 2) as 0 | 1)),
    ]);
    const late = [await open(userId, 1)];
    const until = revoked[0]?.issuedUntil as number;
    const lives = new Set(await alive([...early, ...during, ...late]));
    expect(early.filter((token) => lives.has(token))).toEqual([]);
    expect(late.filter((token) => lives.has(token))).toEqual(late);
    for (const token of during) expect(lives.has(token)).toBe(claimsIn(token).issuedAt > until);
    expect(await sessionsOf(userId)).toHaveLength([...during, ...late].filter((token) => lives.has(token)).length);
  });

  test("of a user who does not exist is refused", async () => {
    await expect(call(caller, "user.logoutAll", { userId: "7" })).rejects.toMatchObject({ type: "userUnknown" });
  });

  test("leaves one row, however often it is called", async () => {
    const { userId } = await login();
    for (let at = 0; at < 3; at++) await call(caller, "user.logoutAll", { userId }, on((at % 2) as 0 | 1));
    expect((await page()).list.filter((revocation) => revocation.userId === userId)).toHaveLength(1);
  });
});

describe("reading the revocations", () => {
  test("a row that commits after later ones is read by a reader that was there before", async () => {
    const [slow, quick] = [claimsOf("101"), claimsOf("102")];
    const revocationOf = ({ issuedAt: issuedUntil, ...claims }: TokenClaims) => ({ ...claims, issuedUntil });
    let commit: () => void = () => {};
    let written: () => void = () => {};
    const isWritten = new Promise<void>((resolve) => (written = resolve));
    const late = mysqlOf(0).transaction(async (tx) => {
      await writeRevocation(tx, revocationOf(slow));
      written();
      await new Promise<void>((resolve) => (commit = resolve));
    });
    await isWritten;
    await endSession(mysqlOf(1), quick);
    const first = await page();
    const sessionsIn = ({ list }: typeof first) => list.map(({ sessionId }) => sessionId);
    expect(sessionsIn(first)).toContain(quick.sessionId);
    expect(sessionsIn(first)).not.toContain(slow.sessionId);
    commit();
    await late;
    expect(sessionsIn(await page(first.now - limits.user.feedOverlapMs))).toContain(slow.sessionId);
  });

  test("a revocation whose commit took too long is written again, with a new time, before logout returns", async () => {
    const claims = claimsOf("103");
    const writtenAt = async () => {
      const sql = "SELECT create_time FROM t_revocation WHERE session_id = ?";
      return (await database.query<{ create_time: Date }>(sql, [claims.sessionId]))[0]?.create_time.getTime();
    };
    const real = performance.now.bind(performance);
    let ahead = 0;
    const mysql = mysqlOf(0);
    const times: (number | undefined)[] = [];
    const slowOnce = {
      async transaction(work: Parameters<Database["transaction"]>[0]) {
        const result = await mysql.transaction(work);
        times.push(await writtenAt());
        if (times.length === 1) ahead = limits.user.feedWriteMs;
        // Two statements of one ms would have one time.
        await eventually("the next ms", () => Date.now() > (times.at(-1) as number) + 1);
        return result;
      },
    } as unknown as Database;
    const clock = jest.spyOn(performance, "now").mockImplementation(() => real() + ahead);
    try {
      await endSession(slowOnce, claims);
    } finally {
      clock.mockRestore();
    }
    expect(times).toHaveLength(2);
    expect(times[1]).toBeGreaterThan(times[0] as number);
  });

  test("a long wait for a connection is no reason to write a revocation again", async () => {
    const real = performance.now.bind(performance);
    let ahead = 0;
    let written = 0;
    const mysql = mysqlOf(0);
    const busy = {
      async transaction(work: Parameters<Database["transaction"]>[0]) {
        ahead += limits.user.feedWriteMs;
        written++;
        return mysql.transaction(work);
      },
    } as unknown as Database;
    const clock = jest.spyOn(performance, "now").mockImplementation(() => real() + ahead);
    try {
      expect(await endSession(busy, claimsOf("106"))).toHaveLength(1);
    } finally {
      clock.mockRestore();
    }
    expect(written).toBe(1);
  });

  test("a revocation of all that is written again does not take back a later one", async () => {
    const at = Date.now();
    const revocationAt = (issuedUntil: number) => ({
      ...{ userId: "105", sessionId: 0, issuedUntil },
      expiresAt: issuedUntil + limits.user.tokenTtlMs,
    });
    for (const issuedUntil of [at, at + 200, at + 100])
      await database.transaction((tx) => writeRevocation(tx, revocationAt(issuedUntil)));
    const own = (await page()).list.filter(({ userId }) => userId === "105");
    expect(own).toEqual([revocationAt(at + 200)]);
  });

  test("where no commit is in time logout is unavailable, and may be repeated", async () => {
    const claims = claimsOf("104");
    const real = performance.now.bind(performance);
    let ahead = 0;
    const mysql = mysqlOf(0);
    const slow = {
      async transaction(work: Parameters<Database["transaction"]>[0]) {
        const result = await mysql.transaction(work);
        ahead += limits.user.feedWriteMs;
        return result;
      },
    } as unknown as Database;
    const clock = jest.spyOn(performance, "now").mockImplementation(() => real() + ahead);
    const outcome = await endSession(slow, claims).then(
      () => false,
      (error) => isUnavailable(error),
    );
    clock.mockRestore();
    expect(outcome).toBe(true);
    expect(await endSession(mysql, claims)).toHaveLength(1);
  });

  test("pages follow each other without a gap, also where many rows have one time", async () => {
    const perPage = limits.user.feedRowsPerPage;
    const rows = Array.from({ length: perPage + 10 }, (_, at) => `(500, ${at + 1}, 1, '2126-01-01', '2026-01-01')`);
    const columns = "user_id, session_id, issued_until_ms, expires_time, create_time";
    await database.run(`INSERT INTO t_revocation (${columns}) VALUES ${rows.join()}`);
    const all = await page();
    expect(all.list).toHaveLength(perPage);
    const rest = await page(all.next?.since, all.next?.afterId);
    const sessions = [...all.list, ...rest.list].filter(({ userId }) => userId === "500");
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(perPage + 10);
    expect(Buffer.byteLength(JSON.stringify(all))).toBeLessThan(limits.bus.listBytes);
    await database.run("DELETE FROM t_revocation WHERE user_id = 500");
  });

  test("expired sessions and revocations are deleted, a revocation only when no gateway needs it, also one whose clock is late", async () => {
    const columns = "user_id, session_id, issued_until_ms, expires_time, create_time";
    const row = (id: number, minutes: number) =>
      `(600, ${id}, 1, UTC_TIMESTAMP(3) + INTERVAL ${minutes} MINUTE, UTC_TIMESTAMP(3))`;
    await database.run(`INSERT INTO t_revocation (${columns}) VALUES ${[row(1, -61), row(2, -59), row(3, 5)].join()}`);
    await database.run(
      `INSERT INTO t_session (user_id, session_id, issued_ms, expires_time) VALUES
       (600, 1, 1, UTC_TIMESTAMP(3) - INTERVAL 1 MINUTE), (600, 2, 1, UTC_TIMESTAMP(3) + INTERVAL 1 MINUTE)`,
    );
    expect(await purgeExpired(database)).toBe(false);
    const { list } = await revocationsFrom(database, { since: 0, afterId: "0" });
    expect(list.filter(({ userId }) => userId === "600").map(({ sessionId }) => sessionId)).toEqual([2, 3]);
    expect(await sessionsOf("600")).toEqual([{ session_id: "2" }]);
  });

  test("one node at a time purges", async () => {
    const lease = () => database.query<{ holder: string }>("SELECT holder FROM t_lease WHERE name = 'session-purge'");
    await eventually("a holder", async () => Boolean((await lease())[0]?.holder));
    const holders = (await lease()).map(({ holder }) => holder);
    expect(holders).toHaveLength(1);
    expect(nodes.map(({ nodeID }) => nodeID)).toContain(holders[0]);
  });
});

describe("Redis", () => {
  test("that is wiped ends no session and makes no revoked token valid; login codes that are not used yet are lost", async () => {
    const phone = newPhone();
    const [ended, lives] = [await login(phone), await login(phone)];
    await call(caller, "user.logout", { token: ended.token });
    const prefix = redis.options.keyPrefix ?? "";
    const names = await redis.keys(`${prefix}*`);
    if (names.length > 0) await redis.del(names.map((key) => key.slice(prefix.length)));
    expect(await alive([ended.token, lives.token])).toEqual([lives.token]);
    expect(await login(phone)).toMatchObject({ userId: lives.userId });
  });

  test("that is away stops login codes and logins; sessions can be ended, and revocations are read", async () => {
    const { userId, token } = await login();
    const restoreRedis = await cutRedis(nodes[0], "user");
    const phone = newPhone();
    const outcomes = await Promise.all([
      call(caller, "user.sendLoginCode", { phone }, on(0)).catch(isUnavailable),
      call(caller, "user.login", { phone, code: "123456" }, on(0)).catch(isUnavailable),
      call(caller, "user.logout", { token }, on(0)),
      call(caller, "user.logoutAll", { userId }, on(0)),
      page(0, "0", 0),
    ]);
    await restoreRedis();
    expect(outcomes).toEqual([true, true, expect.anything(), expect.anything(), expect.anything()]);
    expect(await alive([token])).toEqual([]);
    expect(await login(phone)).toMatchObject({ userId: expect.any(String) });
  });
});
