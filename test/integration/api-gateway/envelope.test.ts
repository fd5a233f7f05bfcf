import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { type FailureName, failures } from "../../../config/errors.ts";
import { checkParams } from "../../../services/action-contract.ts";
import { giftActions } from "../../../services/gift/gift.contract.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import { stopAll } from "../../support/system.ts";
import {
  alice,
  answers,
  asAlice,
  calls,
  catalogueGift,
  forget,
  send,
  startGateway,
  startNeighbours,
} from "./neighbours.ts";

let broker: ServiceBroker;
let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ broker, base } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const catalogue = "/live/api/gift/listGift";
const names = Object.keys(failures) as FailureName[];

test.each(names)("%s of a service is answered with its row's code, status and text in both languages", async (name) => {
  const row = failures[name];
  answers["gift.catalogue"] = () => {
    throw fail(name, { secret: "of the inside" });
  };
  for (const [language, text] of [
    ["zh-CN,zh;q=0.9", row.zh],
    ["en-US,en;q=0.9", row.en],
    ["fr", row.zh],
  ] as const) {
    const answer = await send(base + catalogue, { headers: { ...asAlice, "Accept-Language": language } });
    expect(answer.status).toBe(row.http);
    expect(JSON.parse(answer.text)).toEqual({ code: row.code, msg: text, data: null });
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.has("retry-after")).toBe(row.http === 503 || row.http === 429);
    expect(answer.headers.get("x-failure")).toBe(row.http < 500 ? name : null);
  }
});

test("a gift that may have been accepted is answered 503 with its order's id, one that was not without; nothing else of a failure is shown", async () => {
  const url = `${base}/live/api/gift/send`;
  const body = { giftId: 22, roomId: 5, receiverId: "77", count: 1 };
  let mayHaveHappened = true;
  answers["gift.send"] = () => {
    throw fail("unavailable", { mayHaveHappened, secret: "of the inside", orderId: "of the inside" });
  };
  const named = await send(url, { headers: asAlice, body: { ...body, requestId: "click-0001" } });
  const orderId = orderIdOf(alice.userId, "click-0001");
  const envelope = { code: 503, msg: failures.unavailable.zh };
  expect([named.status, JSON.parse(named.text)]).toEqual([503, { ...envelope, data: { orderId } }]);
  expect(Number(named.headers.get("retry-after"))).toBeGreaterThan(0);
  // Without a request id the order is the one that the gateway named to the gift service.
  const once = await send(url, { headers: asAlice, body });
  expect(calls.map(({ params }) => params.orderId)).toEqual([
    undefined,
    expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
  ]);
  expect(JSON.parse(once.text)).toEqual({ ...envelope, data: { orderId: calls[1]?.params.orderId } });
  mayHaveHappened = false;
  const refused = await send(url, { headers: asAlice, body: { ...body, requestId: "click-0001" } });
  expect(JSON.parse(refused.text)).toEqual({ ...envelope, data: null });
  // Refused before the order was looked up: a repeat may have been accepted by its first request.
  answers["gift.send"] = () => {
    throw fail("unavailable", { beforeLookup: true });
  };
  const repeat = await send(url, { headers: asAlice, body: { ...body, requestId: "click-0001" } });
  expect(JSON.parse(repeat.text)).toEqual({ ...envelope, data: { orderId } });
  expect(JSON.parse((await send(url, { headers: asAlice, body })).text)).toEqual({ ...envelope, data: null });
});

test("success is 200 in both places, with its text in both languages", async () => {
  const zh = await send(base + catalogue, { headers: asAlice });
  expect([zh.status, zh.code, zh.msg]).toEqual([200, 200, "成功"]);
  const en = await send(base + catalogue, { headers: { ...asAlice, "Accept-Language": "en" } });
  expect([en.status, en.code, en.msg]).toEqual([200, 200, "success"]);
});

test("a fault inside is 500 and shows nothing of it", async () => {
  answers["gift.catalogue"] = () => {
    throw new TypeError("cannot read properties of secret");
  };
  const answer = await send(base + catalogue, { headers: { ...asAlice, "Accept-Language": "en" } });
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.text)).toEqual({ code: 500, msg: "internal error", data: null });
});

test("a catalogue that comes in pages is asked for to its end, and answered as one", async () => {
  const page = (giftId: number) => ({ list: [{ ...catalogueGift, giftId }], nextAfter: giftId < 3 ? giftId : null });
  answers["gift.catalogue"] = ({ after = 0 }) => page(after + 1);
  const { data } = await send(base + catalogue, { headers: asAlice });
  expect((data as { giftId: number }[]).map(({ giftId }) => giftId)).toEqual([1, 2, 3]);
});

/** The warnings that the gateway logs of requests with an id while `work` runs. */
async function warningsOf(requestId: string, work: () => Promise<unknown>): Promise<unknown[][]> {
  const warn = jest.spyOn(broker.getLocalService("api-gateway").logger, "warn").mockImplementation(() => {});
  try {
    await work();
    return warn.mock.calls.filter(([about]) => (about as { requestId?: string }).requestId === requestId);
  } finally {
    warn.mockRestore();
  }
}

test("params that an action refuses are the client's fault, and a warning names the action, the field and the request", async () => {
  answers["gift.catalogue"] = () => {
    checkParams(giftActions.catalogue.params, { after: "x" }, "gift.catalogue");
    throw new Error("not refused");
  };
  const headers = { ...asAlice, "X-Request-Id": "the-request-1" };
  const lines = await warningsOf("the-request-1", async () => {
    const answer = await send(base + catalogue, { headers });
    expect([answer.status, answer.code]).toEqual([400, 100001]);
  });
  const about = { action: "gift.catalogue", field: "after", requestId: "the-request-1", route: catalogue };
  expect(lines).toEqual([[expect.objectContaining(about), expect.stringMatching(/refused params/)]]);
});

test("what a service refuses for a reason of its own, or the gateway by itself, is no warning", async () => {
  answers["gift.catalogue"] = () => {
    throw fail("invalidParam", { field: "after" });
  };
  const headers = { ...asAlice, "X-Request-Id": "the-request-2" };
  const lines = await warningsOf("the-request-2", async () => {
    expect((await send(base + catalogue, { headers })).code).toBe(100001);
    expect((await send(`${base}/live/api/gift/send`, { headers, body: { giftId: "x" } })).code).toBe(100001);
  });
  expect(lines).toEqual([]);
});

test("the answer states how long to wait where the service knows it", async () => {
  answers["living-room.start"] = () => {
    throw fail("startTooOften", { waitMs: 6_100 });
  };
  const answer = await send(`${base}/live/api/living/startingLiving`, { headers: asAlice, body: { type: 1 } });
  expect([answer.status, answer.code, answer.msg]).toEqual([429, -10001, "开播请求过于频繁，请稍后再试"]);
  expect(answer.headers.get("retry-after")).toBe("7");
});

test("a safe request id goes through all services and comes back, another is replaced", async () => {
  const given = await send(base + catalogue, { headers: { ...asAlice, "X-Request-Id": "my-request.0001" } });
  expect(given.headers.get("x-request-id")).toBe("my-request.0001");
  expect(calls[0]?.requestId).toBe("my-request.0001");
  for (const bad of ["short", "with space in it", '"><script>', "x".repeat(65)]) {
    forget();
    const headers = { ...asAlice, "X-Request-Id": bad, "X-Correlation-Id": bad };
    const made = (await send(base + catalogue, { headers })).headers.get("x-request-id");
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    expect(calls[0]?.requestId).toBe(made);
  }
});

test.each([
  ["a success", catalogue, {}, 200],
  ["a failure", "/live/api/gift/order", { orderId: "" }, 400],
  ["an unknown path", "/live/api/gift/nothing", {}, 404],
  ["a path that ends with a slash", `${catalogue}/`, {}, 200],
  ["an answer without an envelope", "/health/live", undefined, 200],
  ["a file", "/js/im-client.js", undefined, 200],
])("%s has the headers of every answer, each once", async (_what, path, body, status) => {
  const headers = { ...asAlice, "X-Request-Id": "my-request.0002" };
  const answer = await send(base + path, { headers, ...(body ? { body } : { method: "GET" }) });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("x-request-id")).toBe("my-request.0002");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(answer.headers.get("cache-control")).toMatch(path.endsWith(".js") ? /public/ : /^no-store$/);
});

test.each([
  ["GET", "/live/api/gift/listGift"],
  ["PUT", "/live/api/gift/listGift"],
  ["POST", "/live/api/gift/listgift"],
  ["POST", "/live/api/gift/nothing"],
  ["POST", "/live/api/gift/catalogue"],
  ["POST", "/gift/catalogue"],
  ["POST", "/~node/metrics"],
  ["GET", "/api-gateway/listAliases"],
  ["POST", "/"],
  ["GET", "/live"],
  ["GET", "/no-such-file.js"],
  ["GET", "/js"],
  ["GET", "/%2e%2e/package.json"],
  ["GET", "/..%2fpackage.json"],
  ["GET", "/%"],
  ["POST", "/health/live"],
])("%s %s is 404 with the envelope", async (method, path) => {
  const answer = await send(base + path, { method, headers: asAlice });
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.text)).toEqual({ code: 404, msg: "路径不存在", data: null });
  expect(calls).toEqual([]);
});

test("a browser's preflight is not taken for the request it asks about", async () => {
  const headers = { ...asAlice, Origin: "http://evil.example", "Access-Control-Request-Method": "POST" };
  const answer = await send(base + catalogue, { method: "OPTIONS", headers });
  expect(answer.status).toBe(404);
  expect(answer.headers.has("access-control-allow-origin")).toBe(false);
  expect(calls).toEqual([]);
});

test("the reason of a failed order is in the caller's language, with its code", async () => {
  const url = `${base}/live/api/gift/order`;
  const body = { orderId: "gift-order-1" };
  const en = await send(url, { headers: { ...asAlice, "Accept-Language": "en" }, body });
  expect(en.data).toMatchObject({ status: "failed", reason: "insufficient balance", reasonCode: 10010 });
  const records = await send(`${base}/live/api/gift/records?direction=received`, { headers: asAlice });
  expect(records.data).toMatchObject({ list: [{ reason: "余额不足", reasonCode: 10010 }], nextCursor: "41" });
});

test("where there is no live room the room's id is -1", async () => {
  const answer = await send(`${base}/live/api/living/anchorConfig`, { headers: asAlice, body: { roomId: 6 } });
  expect(answer.data).toMatchObject({ roomId: -1, anchorId: null, type: null, isAnchor: false, anchorNickName: "" });
});
