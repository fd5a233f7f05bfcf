import { fail } from "../../../broker/failure.ts";
import { stopAll } from "../../support/system.ts";
import { answers, calls, checkAgainstContract, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const webhooks = "/live/bank/payNotify";

test.each([
  ["wxNotify", "wechat"],
  ["aliNotify", "alipay"],
  ["cashierNotify", "cashier"],
])("%s hands the webhook on exactly as it came, and the answer back as it is", async (path, channel) => {
  const body = '{ "id" : "1",\r\n "text":"\u4f60\u597d" , "id":"2"} ';
  const headers = {
    "Content-Type": "application/json",
    "Wechatpay-Signature": "abc==",
    Cookie: "qytk=t",
    Authorization: "Bearer t",
  };
  const answer = await send(`${base}${webhooks}/${path}?a=1&b=%26`, { headers, body });
  expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([
    401,
    "application/json",
    '{"code":"FAIL"}',
  ]);
  const [call] = calls;
  expect(call?.params).toMatchObject({ channel, body, query: { a: "1", b: "&" }, ip: "127.0.0.1" });
  expect(call?.params.headers).toMatchObject({ "wechatpay-signature": "abc==", "content-type": "application/json" });
  expect(Object.keys(call?.params.headers as object)).not.toContain("cookie");
  expect(Object.keys(call?.params.headers as object)).not.toContain("authorization");
  calls.forEach(checkAgainstContract);
});

test("a form, which is how Alipay calls, is not parsed", async () => {
  const body = "a=1&a=2&sign=x%2By";
  await send(`${base}${webhooks}/aliNotify`, {
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body,
  });
  expect(calls[0]?.params.body).toBe(body);
});

test("an old client's webhook in the query reaches the same verification", async () => {
  const answer = await send(`${base}${webhooks}/wxNotify?param={"orderId":"1"}`);
  expect(answer.status).toBe(401);
  expect(calls[0]?.params).toMatchObject({ body: "", query: { param: '{"orderId":"1"}' } });
});

test("a channel that is not configured is not there", async () => {
  answers["payment.webhook"] = () => null;
  const answer = await send(`${base}${webhooks}/wxNotify`, { body: "{}" });
  expect([answer.status, answer.code]).toEqual([404, 404]);
});

test("a webhook whose truth could not be written is answered 503, so that it comes again", async () => {
  answers["payment.webhook"] = () => {
    throw fail("unavailable");
  };
  expect((await send(`${base}${webhooks}/wxNotify`, { body: "{}" })).status).toBe(503);
});

test("a webhook that is too large, ambiguous or no text does not get that far", async () => {
  expect((await send(`${base}${webhooks}/wxNotify`, { body: "x".repeat(65 * 1024) })).status).toBe(413);
  expect((await send(`${base}${webhooks}/wxNotify?a=1&a=2`, { body: "{}" })).status).toBe(400);
  const bytes = await fetch(`${base}${webhooks}/wxNotify`, { method: "POST", body: Uint8Array.from([0xff, 0xfe]) });
  expect(bytes.status).toBe(400);
  expect(calls).toEqual([]);
});

test("the cashier's page and its buttons are HTML that runs no scripts", async () => {
  const url = `${base}/sandbox/cashier?orderId=pay-order-1`;
  const page = await send(url, { method: "GET" });
  expect([page.status, page.text]).toEqual([200, "<h1>page</h1>"]);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain("script-src");
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const pressed = await send(url, { headers, body: "action=pay" });
  expect(pressed.text).toBe("<h1>pressed</h1>");
  expect(calls.map(({ action, params }) => [action, params])).toEqual([
    ["payment.providerPage", { channel: "cashier", fields: { orderId: "pay-order-1" }, press: false }],
    ["payment.providerPage", { channel: "cashier", fields: { orderId: "pay-order-1", action: "pay" }, press: true }],
  ]);
});

test("there is no cashier's page of an order that cannot be", async () => {
  for (const query of ["", "?orderId=", "?orderId=../../x", `?orderId=${"x".repeat(65)}`])
    expect((await send(`${base}/sandbox/cashier${query}`, { method: "GET" })).status).toBe(404);
  expect(calls).toEqual([]);
});
