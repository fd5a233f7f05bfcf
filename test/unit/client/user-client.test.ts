import { createUserClient, OvationError, type UserClientOptions } from "../../../clients/typescript/src/index.ts";
import { atOnce, away, FakeGateway, lost, type Planned, success } from "./fake-gateway.ts";

function clientOf(plan: Planned[], options: Partial<UserClientOptions> = {}) {
  const gateway = new FakeGateway(...plan);
  const given = { baseUrl: "http://gateway.test", fetch: gateway.fetch, repeats: atOnce, token: () => "the-token" };
  return { gateway, client: createUserClient({ ...given, ...options }) };
}

/** What a call rejects with. */
async function failureOf(call: Promise<unknown>): Promise<OvationError> {
  const error = await call.then(
    (value) => Promise.reject(new Error(`it resolved to ${JSON.stringify(value)}`)),
    (reason: unknown) => reason,
  );
  if (!(error instanceof OvationError)) throw error;
  return error;
}

const turnedAway = (seconds = 0): Planned => ({
  ...{ status: 429, code: -10001, headers: { "Retry-After": String(seconds) } },
});
const bank = { productId: 10, paySource: 1, payChannel: 3 };

describe("a call of the users' API", () => {
  test("is a POST with the params as JSON, the token and the language, and resolves to the data", async () => {
    const { gateway, client } = clientOf([success({ orderId: "o" })], { language: "en" });
    expect(await client.api.gift.order({ orderId: "o" })).toEqual({ orderId: "o" });
    const [sent] = gateway.sent;
    expect(sent).toMatchObject({ path: "/live/api/gift/order", body: { orderId: "o" } });
    const named = ["authorization", "accept-language", "content-type"].map((name) => sent!.headers.get(name));
    expect(named).toEqual(["Bearer the-token", "en", "application/json"]);
  });

  test("names a refusal by its code, and by the operation where several failures have the code", async () => {
    const { client } = clientOf([
      { code: 501, msg: "no such order", headers: { "X-Request-Id": "req-1" } },
      { code: 10010 },
      { code: 501 },
      { code: 77 },
    ]);
    const unknown = await failureOf(client.api.gift.order({ orderId: "o" }));
    expect(unknown).toMatchObject({ name: "giftOrderUnknown", code: 501, status: 200, traceId: "req-1" });
    expect(unknown.refused).toBe(true);
    expect(await failureOf(client.api.pk.accept({ battleId: "1" }))).toMatchObject({ name: "balanceShort" });
    // Of login both a wrong and an expired code are 501.
    expect(await failureOf(client.login({ phone: "1", code: "2" }))).toMatchObject({ name: "business" });
    expect(await failureOf(client.api.bank.income())).toMatchObject({ name: "unknownCode", code: 77 });
  });

  test("names a refusal as the header does, where the name is one of its code", async () => {
    const named = async (code: number, name: string) => {
      const { client } = clientOf([{ code, headers: { "X-Failure": name } }]);
      return (await failureOf(client.login({ phone: "1", code: "2" }))).name;
    };
    expect(await named(501, "smsCodeWrong")).toBe("smsCodeWrong");
    expect(await named(501, "smsCodeExpired")).toBe("smsCodeExpired");
    // Of a newer server, and of a proxy with a header of this name.
    for (const name of ["newerFailure", "balanceShort", "toString"]) expect(await named(501, name)).toBe("business");
  });

  test("that was turned away (429) is sent again, whatever it does", async () => {
    const { gateway, client } = clientOf([turnedAway(), turnedAway(), success({ orderId: "p" })]);
    expect(await client.api.bank.payProduct(bank)).toEqual({ orderId: "p" });
    expect(gateway.sent).toHaveLength(3);
  });

  test("that was not answered is sent again only where a second one is the same", async () => {
    const same = clientOf([away(), lost(), { status: 502, text: "<html>" }, success({ income: 1 })]);
    expect(await same.client.api.bank.income()).toEqual({ income: 1 });
    for (const planned of [away(), lost(), { status: 504, text: "" }]) {
      const other = clientOf([planned]);
      await failureOf(other.client.api.bank.payProduct(bank));
      await failureOf(clientOf([planned]).client.api.gift.send({ giftId: 1, roomId: 1, receiverId: "1" }));
      expect(other.gateway.sent).toHaveLength(1);
    }
  });

  test("is not repeated after a refusal, a fault of the request or a fault inside", async () => {
    for (const [status, code] of [
      [200, 501],
      [400, 100001],
      [404, 404],
      [500, 500],
    ] as const) {
      const { gateway, client } = clientOf([{ status, code }]);
      expect(await failureOf(client.api.bank.income())).toMatchObject({ status, code });
      expect(gateway.sent).toHaveLength(1);
    }
  });

  test("gives up after its attempts, with the last failure", async () => {
    const { gateway, client } = clientOf([away(), lost(), away()], { repeats: { ...atOnce, attempts: 3 } });
    expect(await failureOf(client.api.bank.income())).toMatchObject({ name: "unavailable", status: 503 });
    expect(gateway.sent).toHaveLength(3);
  });

  test("waits as long as Retry-After says, and gives up at once where that is too long", async () => {
    const { client } = clientOf([away(null, 1), success({ income: 1 })]);
    const begun = performance.now();
    await client.api.bank.income();
    expect(performance.now() - begun).toBeGreaterThanOrEqual(990);
    const late = clientOf([turnedAway(60)], { repeats: atOnce });
    expect(await failureOf(late.client.api.bank.income())).toMatchObject({ name: "tooMany", retryAfterMs: 60_000 });
    const spent = clientOf([away(null, 1)], { repeats: { ...atOnce, totalMs: 900 } });
    expect(await failureOf(spent.client.api.bank.income())).toMatchObject({ name: "unavailable" });
  });

  test("is one that timed out where the answer takes too long, and is sent again like one that was not answered", async () => {
    const hanging = clientOf(["hang"], { timeoutMs: 20, repeats: { attempts: 1 } });
    expect(await failureOf(hanging.client.api.bank.income())).toMatchObject({ name: "timedOut", answered: false });
    const { client } = clientOf(["hang", success({ income: 2 })], { timeoutMs: 20 });
    expect(await client.api.bank.income()).toEqual({ income: 2 });
  });

  test("ends at once with its signal, also in a pause; with the bare reason where nothing was sent", async () => {
    const aborted = [new AbortController(), new AbortController()] as const;
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const hanging = clientOf(["hang"]);
    const asking = hanging.client.api.bank.income(undefined, { signal: aborted[0].signal });
    let isPausing = false;
    const random = () => {
      isPausing = true;
      return 0;
    };
    const paused = clientOf([away(null, 10)], { repeats: { random } });
    const waiting = paused.client.api.bank.income(undefined, { signal: aborted[1].signal });
    const ended = Promise.all([asking, waiting].map(failureOf));
    while (hanging.gateway.sent.length === 0 || !isPausing) await turn();
    await turn();
    const begun = performance.now();
    for (const controller of aborted) controller.abort(new Error("enough"));
    const enough = expect.objectContaining({ message: "enough" });
    for (const error of await ended) expect(error).toMatchObject({ name: "aborted", answered: false, cause: enough });
    expect(performance.now() - begun).toBeLessThan(5_000);
    const late = hanging.client.api.bank.income(undefined, { signal: aborted[0].signal });
    await expect(late).rejects.toThrow("enough");
    expect([hanging, paused].map(({ gateway }) => gateway.sent.length)).toEqual([1, 1]);
  });

  test("leaves no listener at a signal and no timer", async () => {
    const { signal } = new AbortController();
    const counts = { addEventListener: 0, removeEventListener: 0 };
    for (const name of ["addEventListener", "removeEventListener"] as const)
      jest.spyOn(signal, name).mockImplementation(() => void counts[name]++);
    const combined = jest.spyOn(AbortSignal, "any");
    const timed = jest.spyOn(AbortSignal, "timeout");
    const { client } = clientOf([success({ income: 1 }), { code: 501 }]);
    await client.api.bank.income(undefined, { signal });
    await failureOf(client.api.bank.income(undefined, { signal }));
    expect(counts).toEqual({ addEventListener: 2, removeEventListener: 2 });
    expect([combined, timed].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    jest.restoreAllMocks();
  });

  test("that ends every login is not repeated after no answer: its token may be ended", async () => {
    const { gateway, client } = clientOf([lost()]);
    expect(await failureOf(client.api.userLogin.logoutAll())).toMatchObject({ name: "network" });
    expect(gateway.sent).toHaveLength(1);
  });

  test("that cannot be made is a fault of the caller, and is not repeated", async () => {
    const { gateway, client } = clientOf([], { baseUrl: "no address" });
    await expect(client.api.bank.income()).rejects.toMatchObject({ name: "TypeError" });
    const wrong = { orderId: 1n as never };
    await expect(clientOf([]).client.api.gift.order(wrong)).rejects.toMatchObject({ name: "TypeError" });
    expect(gateway.sent).toHaveLength(0);
  });

  test.each([
    { status: 302, headers: { Location: "http://elsewhere.test" }, text: "" },
    { status: 200, text: "<html>a portal</html>" },
    { status: 200, text: "" },
    { status: 200, text: "null" },
    { status: 200, text: '{"code":"200"}' },
    { status: 200, text: "{" },
  ])("names an answer that is not Ovation's, and is not repeated: $status $text", async (planned) => {
    const { client, gateway } = clientOf([planned]);
    const error = await failureOf(client.api.bank.income());
    expect(error).toMatchObject({ name: "badAnswer", status: planned.status, answered: false, code: undefined });
    expect(gateway.sent).toHaveLength(1);
  });
});

describe("the token", () => {
  test("that is refused is asked for once more, and the request is sent once more with another one", async () => {
    const asked: (string | undefined)[] = [];
    const tokens = ["old", "new"];
    const token = async (refused?: string) => {
      asked.push(refused);
      return tokens.shift();
    };
    const { gateway, client } = clientOf([{ status: 401, code: 100002 }, success({ income: 1 })], { token });
    expect(await client.api.bank.income()).toEqual({ income: 1 });
    expect(asked).toEqual([undefined, "old"]);
    expect(gateway.sent.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer old", "Bearer new"]);
  });

  test("that stays the same is not tried twice", async () => {
    const { gateway, client } = clientOf([{ status: 401, code: 100002 }]);
    expect(await failureOf(client.api.bank.income())).toMatchObject({ name: "notLoggedIn", status: 401 });
    expect(gateway.sent).toHaveLength(1);
  });

  test("of a login is kept until the logout", async () => {
    const plan = [success({ userId: "7", token: "own" }), success(null), success(null), success(null)];
    const { gateway, client } = clientOf(plan, { token: undefined as never });
    await client.login({ phone: "13800000001", code: "123456" });
    await client.api.bank.income();
    await client.logout();
    await client.api.living.list({ type: 1, page: 1, pageSize: 10 });
    const sent = gateway.sent.map(({ headers }) => headers.get("authorization"));
    expect(sent).toEqual([null, "Bearer own", "Bearer own", null]);
  });
});

describe("a gift", () => {
  const gift = { giftId: 22, roomId: 1, receiverId: "9", count: 2 };
  const unknown: Planned = { code: 501 };
  const order = { orderId: "o", status: "succeeded" };

  async function sent(plan: Planned[], over: object = {}, options: Partial<UserClientOptions> = {}) {
    const { gateway, client } = clientOf(plan, options);
    const result = await client.gifts.send({ ...gift, ...over });
    const ids = new Set(gateway.sent.flatMap(({ body }) => ("giftId" in body ? [body.requestId] : [])));
    return { result, paths: gateway.paths, ids: [...ids], gateway };
  }

  test("has a request id of its own, the same in every repeat", async () => {
    const first = await sent([lost(), away(), turnedAway(), success({ orderId: "o" })]);
    expect(first.result).toEqual({ outcome: "accepted", orderId: "o", requestId: first.ids[0] });
    expect(first.paths).toEqual(Array(4).fill("gift/send"));
    expect(first.ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const second = await sent([success({ orderId: "p" })]);
    expect(second.ids).not.toEqual(first.ids);
    const given = await sent([success({ orderId: "p" })], { requestId: "mine-0001" });
    expect(given.ids).toEqual(["mine-0001"]);
  });

  test("that is refused says so by name", async () => {
    const { result } = await sent([{ code: 10010, msg: "short" }]);
    expect(result).toMatchObject({ outcome: "refused", code: 10010, name: "balanceShort" });
  });

  test.each([{}, { headers: { "X-Failure": "giftGated" } }])(
    "that the platform's gate refuses has the gate's code and text (%p)",
    async (more) => {
      const gate = { code: 7, msg: "not tonight" };
      const { result } = await sent([{ code: 10006, data: gate, ...more }]);
      expect(result).toMatchObject({ outcome: "refused", code: 10006, name: "giftGated", gate });
      const { result: other } = await sent([{ code: 10006, headers: { "X-Failure": "giftNotSent" } }]);
      expect(other).toMatchObject({ outcome: "refused", name: "giftNotSent" });
      expect(other).not.toHaveProperty("gate");
    },
  );

  test("that a 503 names is asked for before it is sent again", async () => {
    const found = await sent([away({ orderId: "o" }), success(order)]);
    expect(found.paths).toEqual(["gift/send", "gift/order"]);
    expect(found.result).toMatchObject({ outcome: "accepted", orderId: "o", order });
    const repeated = await sent([away({ orderId: "o" }), unknown, success({ orderId: "o" })]);
    expect(repeated.paths).toEqual(["gift/send", "gift/order", "gift/send"]);
    expect(repeated.ids).toHaveLength(1);
    expect(repeated.result).toMatchObject({ outcome: "accepted", orderId: "o" });
  });

  test("is unsure where its last word is a 503 with its order, or nothing", async () => {
    const repeats = { ...atOnce, attempts: 2 };
    const named = await sent([away({ orderId: "o" }), unknown, away({ orderId: "o" }), unknown], {}, { repeats });
    expect(named.result).toMatchObject({ outcome: "unsure", orderId: "o", requestId: named.ids[0] });
    const silent = await sent([lost(), lost()], {}, { repeats });
    expect(silent.result).toMatchObject({ outcome: "unsure", error: { name: "network" } });
    expect(silent.result).not.toHaveProperty("orderId");
  });

  test.each([{ code: 10010 }, { status: 401, code: 100002 }])(
    "that may have been accepted is not refused by a later refusal (%p)",
    async (refusal) => {
      const { result } = await sent([lost(), refusal]);
      expect(result).toMatchObject({ outcome: "unsure", error: { code: refusal.code } });
      const { result: named } = await sent([away({ orderId: "o" }), unknown, refusal, unknown]);
      expect(named).toMatchObject({ outcome: "unsure", orderId: "o" });
      const { result: found } = await sent([away({ orderId: "o" }), unknown, refusal, success(order)]);
      expect(found).toMatchObject({ outcome: "accepted", orderId: "o" });
    },
  );

  test("whose request id is used for other content is refused, also after silence", async () => {
    const { result } = await sent([lost(), { code: 10011 }]);
    expect(result).toMatchObject({ outcome: "refused", name: "idempotencyConflict" });
  });

  test("that is ended by its signal still names its request id and its order", async () => {
    const whenSent = async (plan: Planned[], most: number) => {
      const ending = new AbortController();
      const { client, gateway } = clientOf(plan);
      const sending = client.gifts.send(gift, { signal: ending.signal });
      while (gateway.sent.length < most) await new Promise((resolve) => setImmediate(resolve));
      ending.abort(new Error("enough"));
      return { result: await sending, requestId: gateway.sent[0]!.body.requestId };
    };
    const error = { name: "aborted", cause: expect.objectContaining({ message: "enough" }) };
    const hanging = await whenSent(["hang"], 1);
    expect(hanging.result).toMatchObject({ outcome: "unsure", requestId: hanging.requestId, error });
    const asking = await whenSent([away({ orderId: "o" }), "hang"], 2);
    expect(asking.result).toMatchObject({ outcome: "unsure", requestId: asking.requestId, orderId: "o", error });
    const pausing = await whenSent([away({ orderId: "o" }, 10)], 1);
    expect(pausing.result).toMatchObject({ outcome: "unsure", requestId: pausing.requestId, error });
    const signal = AbortSignal.abort(new Error("early"));
    await expect(clientOf([]).client.gifts.send(gift, { signal })).rejects.toThrow("early");
  });

  test("for whose repeat there is no token is unsure, where it was not answered", async () => {
    const tokens = ["the-token"];
    const token = () => {
      const next = tokens.shift();
      if (next === undefined) throw new Error("no token");
      return next;
    };
    const { result, ids } = await sent([lost()], {}, { token });
    expect(result).toMatchObject({ outcome: "unsure", requestId: ids[0], error: { cause: { message: "no token" } } });
  });

  test("that is sent again with its request id is unsure unless the server decides: it may be accepted already", async () => {
    const repeats = { ...atOnce, attempts: 1 };
    const again = { requestId: "mine-0001" };
    for (const planned of [
      away(),
      turnedAway(),
      { status: 401, code: 100002 },
      { status: 403, text: "" },
    ] as Planned[]) {
      const { result } = await sent([planned], again, { repeats });
      expect(result).toMatchObject({ outcome: "unsure", requestId: "mine-0001" });
      await failureOf(clientOf([planned], { repeats }).client.gifts.send(gift));
    }
    const { result } = await sent([{ code: 10010 }], again);
    expect(result).toMatchObject({ outcome: "refused", name: "balanceShort" });
    await failureOf(clientOf([{ status: 400, code: 100001 }]).client.gifts.send({ ...gift, ...again }));
  });

  test("of `api` is not repeated after no answer, whatever its request id: only `gifts.send` knows what that leaves open", async () => {
    const { gateway, client } = clientOf([lost()]);
    await failureOf(client.api.gift.send({ giftId: 1, roomId: 1, receiverId: "1", requestId: "mine-0001" }));
    expect(gateway.sent).toHaveLength(1);
  });

  test("may have been accepted after a fault inside, which is not repeated", async () => {
    const { result, paths } = await sent([{ status: 500, code: 500 }]);
    expect(paths).toHaveLength(1);
    expect(result).toMatchObject({ outcome: "unsure", error: { name: "internal" } });
  });

  test("that was certainly not accepted, and not for a business reason, is an error", async () => {
    const repeats = { ...atOnce, attempts: 2 };
    for (const plan of [
      [away(), away()],
      [turnedAway(), turnedAway()],
      [{ status: 400, code: 100001 }],
    ] as Planned[][]) {
      const { client } = clientOf(plan, { repeats });
      await failureOf(client.gifts.send(gift));
    }
  });

  test("is asked for until it is settled: also while it is unknown and while the service is away", async () => {
    const accepted = success({ ...order, status: "accepted" });
    const { gateway, client } = clientOf([unknown, accepted, away(), lost(), turnedAway(), success(order)]);
    expect(await client.gifts.outcomeOf("o", { pauseMs: 1 })).toEqual(order);
    expect(gateway.sent).toHaveLength(6);
    const begun = performance.now();
    await clientOf([away(null, 1), success(order)]).client.gifts.outcomeOf("o", { pauseMs: 1 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(990);
    const never = clientOf([unknown, unknown]);
    expect(await never.client.gifts.outcomeOf("o", { pauseMs: 20, totalMs: 40 })).toBeUndefined();
  });
});
