import { type ServiceBroker as Broker, Errors, type Service } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { namedKeysIn } from "../../../config/named-keys.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import { openRedis } from "../../../mixins/redis.mixin.ts";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import { tokenKeys } from "../../../services/token-keys.ts";
import { codeHash, codeKeysOf, keepCode, redeemCode } from "../../../services/user/login-codes.ts";
import { findOrRegister } from "../../../services/user/registration.ts";
import { countTry } from "../../../services/user/sms-store.ts";
import user from "../../../services/user/user.service.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { newKeys } from "../../support/unit-signatures.ts";

/** Replaces the notification service on another node: it keeps the codes and can fail on demand. */
const sent: { phone: string; code: string }[] = [];
let provider: () => void = () => {};
const fakeNotification = {
  name: "notification",
  actions: {
    sendLoginCode(ctx: { params: { phone: string; code: string } }) {
      provider();
      sent.push(ctx.params);
      return { shownToCaller: true };
    },
  },
};

let nodes: [Broker, Broker];
/** A node without the user service, so that every call of the tests goes to another node. */
let caller: Broker;
let database: Database;
const redis = openRedis("test");

beforeAll(async () => {
  nodes = [await startNode("user-1", [user]), await startNode("user-2", [user])];
  caller = await startNode("caller", [fakeNotification]);
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

beforeEach(() => {
  provider = () => {};
});

let phones = 0;
const newPhone = () => `138${String(++phones).padStart(8, "0")}`;
const keysOf = (phone: string) => codeKeysOf(tokenKeys().signing, phone);
const codeKey = (phone: string) => keysOf(phone)[0];
const on = (node: 0 | 1) => ({ nodeID: nodes[node].nodeID });
const sendCode = async (phone: string) => {
  const { devCode } = await call(caller, "user.sendLoginCode", { phone });
  return devCode as string;
};
const login = (phone: string, code: string, node: 0 | 1 = 0) => call(caller, "user.login", { phone, code }, on(node));
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "it succeeded",
    (error) => failureName(error) ?? error,
  );
const wrongFor = (code: string) => (code === "000000" ? "000001" : "000000");

describe("login codes", () => {
  test("a code has six digits, lives 60 s, and leaves a row of t_sms", async () => {
    const phone = newPhone();
    const code = await sendCode(phone);
    expect(code).toMatch(/^\d{6}$/);
    expect(sent).toContainEqual({ phone, code });
    const life = await redis.pttl(codeKey(phone));
    expect(life).toBeGreaterThan(30_000);
    expect(life).toBeLessThanOrEqual(60_000);
    const [row] = await database.query<{ code: string }>("SELECT code FROM t_sms WHERE phone = ?", [phone]);
    expect(row?.code).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test("a code stands neither in Redis nor in the books, and its hash is of another phone or key another one", async () => {
    const [phone, other] = [newPhone(), newPhone()];
    const code = await sendCode(phone);
    const stored = (await redis.get(codeKey(phone))) ?? "";
    const keys = tokenKeys();
    expect(stored).toBe(codeHash(keys, phone, code));
    const hashes = [codeHash(keys, other, code), codeHash(namedKeysIn(newKeys()), phone, code)];
    expect(hashes).not.toContain(stored);
    expect(await database.query("SELECT code FROM t_sms WHERE phone = ?", [phone])).toEqual([{ code: stored }]);
    // The hash in place of the code logs nobody in.
    expect(await failureOf(login(phone, stored))).toBe("smsCodeMalformed");
    expect(await login(phone, code)).toMatchObject({ userId: expect.any(String) });
  });

  test("the names of keys at Redis show no phone", async () => {
    const phone = newPhone();
    const code = await sendCode(phone);
    expect(await failureOf(login(phone, wrongFor(code)))).toBe("smsCodeWrong");
    expect(await redis.exists(...keysOf(phone))).toBe(2);
    expect(await redis.keys(`*${phone}*`)).toEqual([]);
  });

  test("a code that was sent before the keys were changed is valid while its key is still there", async () => {
    const [earlier, later] = [newKeys("k1"), newKeys("k2")];
    const phone = newPhone();
    const address = "192.0.2.1";
    const keys = namedKeysIn(earlier);
    expect(await keepCode(redis, keys, { phone, hash: codeHash(keys, phone, "123456"), address })).toBe(true);
    const given = { phone, code: "123456", address };
    expect(await redeemCode(redis, namedKeysIn(later), given)).toBe("expired");
    expect(await redeemCode(redis, namedKeysIn(`${later},${earlier}`), given)).toBe("passed");
  });

  test("20 parallel requests send one code; another is refused until it expires", async () => {
    const phone = newPhone();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => failureOf(sendCode(phone))));
    expect(outcomes.filter((outcome) => outcome === "smsTooOften")).toHaveLength(19);
    expect(sent.filter((sms) => sms.phone === phone)).toHaveLength(1);
    await redis.pexpire(codeKey(phone), 1);
    await eventually("the code has run out", async () => (await redis.exists(codeKey(phone))) === 0);
    expect(await sendCode(phone)).toMatch(/^\d{6}$/);
  });

  test("the forms of phone and code are checked, in this order, before a try is counted", async () => {
    const loose = (params: object) => failureOf(caller.call("user.login", params));
    expect(await failureOf(sendCode(""))).toBe("phoneMissing");
    expect(await failureOf(caller.call("user.sendLoginCode", {}))).toBe("phoneMissing");
    expect(await failureOf(sendCode("12345"))).toBe("phoneMalformed");
    expect(await loose({})).toBe("phoneMissing");
    expect(await loose({ phone: "1", code: "" })).toBe("phoneMalformed");
    const phone = newPhone();
    const code = await sendCode(phone);
    for (const malformed of ["", "123", "1234567", "abcdef"])
      expect(await loose({ phone, code: malformed })).toBe("smsCodeMalformed");
    expect(await login(phone, code)).toMatchObject({ userId: expect.any(String) });
  });

  test("a phone and code given as numbers count as their digits", async () => {
    const phone = newPhone();
    const { devCode } = (await caller.call("user.sendLoginCode", { phone: Number(phone) })) as { devCode: string };
    expect(await redis.get(codeKey(phone))).toBe(codeHash(tokenKeys(), phone, devCode as string));
  });

  test("a code that was never sent, or has expired, is expired", async () => {
    const phone = newPhone();
    expect(await failureOf(login(phone, "123456"))).toBe("smsCodeExpired");
    const code = await sendCode(phone);
    await redis.del(codeKey(phone));
    expect(await failureOf(login(phone, code))).toBe("smsCodeExpired");
  });

  test("four wrong tries change nothing, the fifth burns the code, and burning does not give another code sooner", async () => {
    const careless = newPhone();
    const good = await sendCode(careless);
    for (let attempt = 1; attempt < limits.user.smsWrongTries; attempt++)
      expect(await failureOf(login(careless, wrongFor(good)))).toBe("smsCodeWrong");
    expect(await redis.pttl(codeKey(careless))).toBeGreaterThan(30_000);
    expect(await login(careless, good)).toMatchObject({ token: expect.any(String) });

    const guessed = newPhone();
    const code = await sendCode(guessed);
    for (let attempt = 1; attempt <= limits.user.smsWrongTries; attempt++)
      expect(await failureOf(login(guessed, wrongFor(code), (attempt % 2) as 0 | 1))).toBe("smsCodeWrong");
    expect(await failureOf(login(guessed, code))).toBe("smsCodeExpired");
    expect(await failureOf(sendCode(guessed))).toBe("smsTooOften");
  });

  test("strangers who know a phone cannot burn the code for the address that requested it, nor guess on for ever", async () => {
    const phone = newPhone();
    const { devCode: code = "" } = await call(caller, "user.sendLoginCode", { phone, address: "192.0.2.1" });
    const from = (address: string, given: string) =>
      failureOf(call(caller, "user.login", { phone, code: given, address }));
    const { smsWrongTries, smsWrongTriesOfOthers } = limits.user;
    const outcomes: unknown[] = [];
    for (let stranger = 1; stranger <= 5; stranger++)
      for (let n = 0; n <= smsWrongTries; n++) outcomes.push(await from(`198.51.100.${stranger}`, wrongFor(code)));
    // Each address has its tries, and all of them together have an end.
    expect(outcomes.slice(0, smsWrongTries + 1)).toEqual([
      ...Array(smsWrongTries).fill("smsCodeWrong"),
      "smsCodeExpired",
    ]);
    expect(outcomes.filter((outcome) => outcome === "smsCodeWrong")).toHaveLength(smsWrongTriesOfOthers);
    expect(await from("198.51.100.77", code)).toBe("smsCodeExpired");
    for (let n = 1; n < smsWrongTries; n++) expect(await from("192.0.2.1", wrongFor(code))).toBe("smsCodeWrong");
    expect(await from("192.0.2.1", code)).toBe("it succeeded");
    // Nothing of these tries is left for the next code.
    const next = await call(caller, "user.sendLoginCode", { phone, address: "192.0.2.1" });
    expect(await from("198.51.100.1", next.devCode ?? "")).toBe("it succeeded");
  });

  test("whoever can write Redis has no more guesses, no more time and no second use", async () => {
    const { smsTriesOfAll, smsCodeTtlMs } = limits.user;
    const guessed = newPhone();
    const code = await sendCode(guessed);
    const hash = (await redis.get(codeKey(guessed))) as string;
    const outcomes: unknown[] = [];
    for (let n = 0; n < smsTriesOfAll + 3; n++) {
      await redis.del(keysOf(guessed)[1]);
      outcomes.push(await failureOf(login(guessed, wrongFor(code), (n % 2) as 0 | 1)));
    }
    expect(outcomes.filter((outcome) => outcome === "smsCodeWrong")).toHaveLength(smsTriesOfAll);
    await redis.del(keysOf(guessed)[1]);
    expect(await failureOf(login(guessed, code))).toBe("smsCodeExpired");

    const old = newPhone();
    const late = await sendCode(old);
    await redis.persist(codeKey(old));
    await database.run("UPDATE t_sms SET send_time = send_time - INTERVAL ? SECOND WHERE phone = ?", [
      smsCodeTtlMs / 1_000,
      old,
    ]);
    expect(await failureOf(login(old, late))).toBe("smsCodeExpired");

    const used = newPhone();
    const once = await sendCode(used);
    const put = (text: string) => redis.set(codeKey(used), text);
    const stored = (await redis.get(codeKey(used))) as string;
    expect(await login(used, once)).toMatchObject({ userId: expect.any(String) });
    await put(stored);
    expect(await failureOf(login(used, once))).toBe("smsCodeExpired");
    // The hash of another phone's code, or of an earlier one of this phone, is not the one that was sent.
    await redis.del(codeKey(used));
    const next = await sendCode(used);
    await put(stored);
    if (once !== next) expect(await failureOf(login(used, once))).toBe("smsCodeWrong");
    await put(hash);
    expect(await failureOf(login(used, code))).toBe("smsCodeWrong");
  });

  test("parallel tries at the database's bound are counted one by one", async () => {
    const phone = newPhone();
    await sendCode(phone);
    const bound = { ttlMs: 60_000, most: 3 };
    const counted = await Promise.all(Array.from({ length: 12 }, () => countTry(database, phone, bound)));
    expect(counted.filter((one) => one !== undefined)).toHaveLength(3);
  });

  test("parallel guesses have five tries in all", async () => {
    const phone = newPhone();
    const code = await sendCode(phone);
    const guesses = Array.from({ length: 20 }, (_, at) => failureOf(login(phone, wrongFor(code), (at % 2) as 0 | 1)));
    const outcomes = await Promise.all(guesses);
    expect(outcomes.filter((outcome) => outcome === "smsCodeWrong")).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === "smsCodeExpired")).toHaveLength(15);
  });

  test("the right code passes once in 20 parallel logins on two nodes, and the next may be requested at once", async () => {
    const phone = newPhone();
    const code = await sendCode(phone);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => failureOf(login(phone, code, (at % 2) as 0 | 1))),
    );
    expect(outcomes.filter((outcome) => outcome === "it succeeded")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "smsCodeExpired")).toHaveLength(19);
    expect(await sendCode(phone)).toMatch(/^\d{6}$/);
  });

  test.each([
    ["refuses", () => new Errors.MoleculerRetryableError("away", 503, "unavailable")],
    ["is not there", () => new Errors.ServiceNotFoundError({ action: "notification.sendLoginCode" })],
  ])("where the SMS provider %s the person is told, and may ask again at once", async (_what, failure) => {
    const phone = newPhone();
    provider = () => {
      throw failure();
    };
    expect(await failureOf(sendCode(phone))).toBe("unavailable");
    expect(await database.query("SELECT id FROM t_sms WHERE phone = ?", [phone])).toEqual([]);
    provider = () => {};
    const code = await sendCode(phone);
    expect(await login(phone, code)).toMatchObject({ userId: expect.any(String) });
  });
});

/** The event of a user's registration in the stream, `undefined` until it is published. */
async function registrationOf(userId: string): Promise<{ data: { userId: string } } | undefined> {
  const { jetstream } = nodes[0].getLocalService("user") as unknown as Service & JetStreamState;
  const stream = await jetstream.client.streams.get(`${natsPrefix()}EVENTS`);
  const { first_seq, last_seq } = (await stream.info()).state;
  for (let seq = last_seq; seq >= Math.max(1, first_seq); seq--) {
    const event = (await stream.getMessage({ seq })).json<{ name: string; data: { userId: string } }>();
    if (event.name === "user.registered" && event.data.userId === userId) return event;
  }
  return undefined;
}

describe("registration", () => {
  test("an unknown phone becomes a user with an id over 2^53, a nick name and one event", async () => {
    const phone = newPhone();
    const { userId } = await login(phone, await sendCode(phone));
    expect(BigInt(userId)).toBeGreaterThan(2n ** 53n);
    const profile = await call(caller, "user.profile", { userId }, on(1));
    // The digits are the id's: nothing of the phone is in it.
    expect(profile).toEqual({ userId, nickName: `旗鱼用户-${userId.slice(-6)}`, avatar: "" });
    const event = await eventually("the event is in the stream", () => registrationOf(userId));
    expect(event).toMatchObject({ id: `user.registered:${userId}`, name: "user.registered", data: { userId } });
  });

  test("20 parallel first logins of one phone on two nodes make one user and one event", async () => {
    const phone = newPhone();
    const services = nodes.map((node) => node.getLocalService("user") as unknown as MysqlState & OutboxState);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => findOrRegister(services[at % 2] as MysqlState & OutboxState, phone, null)),
    );
    expect(outcomes.filter(({ registered }) => registered)).toHaveLength(1);
    const [userId, ...others] = new Set(outcomes.map((outcome) => outcome.userId));
    expect(others).toEqual([]);
    expect(await database.query("SELECT user_id FROM t_user_phone WHERE phone = ?", [phone])).toEqual([
      { user_id: userId },
    ]);
    expect(await database.query("SELECT id FROM t_outbox WHERE order_key = ?", [userId])).toHaveLength(1);
    expect(await login(phone, await sendCode(phone), 1)).toMatchObject({ userId });
  });

  test("a registration that fails half-way leaves no rows, and the next login registers", async () => {
    const phone = newPhone();
    const service = nodes[0].getLocalService("user") as unknown as { outbox: { add: () => Promise<void> } };
    const { add } = service.outbox;
    service.outbox.add = async () => {
      throw new Error("the node died here");
    };
    const broken = await failureOf(login(phone, await sendCode(phone), 0));
    service.outbox.add = add;
    expect(broken).toBeInstanceOf(Error);
    expect(await database.query("SELECT id FROM t_user_phone WHERE phone = ?", [phone])).toEqual([]);
    const { userId } = await login(phone, await sendCode(phone), 0);
    expect(await call(caller, "user.profile", { userId })).toMatchObject({ userId });
  });

  test("an unknown id has no profile, not even one next to a user's id", async () => {
    const phone = newPhone();
    const { userId } = await login(phone, await sendCode(phone));
    for (const unknown of ["1", String(BigInt(userId) + 1n), String(BigInt(userId) - 1n), "18446744073709551615"])
      expect(await failureOf(call(caller, "user.profile", { userId: unknown }))).toBe("userUnknown");
  });
});

test("with the console provider of the notification service the caller gets the code", async () => {
  const node = await startNode("user-and-notification", [user, notification]);
  const { devCode } = await call(node, "user.sendLoginCode", { phone: newPhone() });
  expect(devCode).toMatch(/^\d{6}$/);
});
