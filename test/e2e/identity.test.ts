import { randomInt } from "node:crypto";
import { rows } from "../support/books.ts";
import { apiUrl, operate, Person, post, requestId, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { operatorCalls } from "../support/operator-calls.ts";
import { settledOrders } from "../support/outcomes.ts";
import { tokenOf } from "../support/tokens.ts";
import { Viewer } from "../support/viewer.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

afterAll(expectWholeBooksBalanced);

/** Everything a client might try to be somebody else with. */
function claimsToBe(userId: string) {
  const fields = { userId, senderUserId: userId, senderId: userId, qiyu_live_user_id: userId, anchorId: userId };
  const headers = {
    ...{ userId, "user-id": userId, "x-user-id": userId, qiyu_gh_user_id: userId, "x-forwarded-user": userId },
    ...{ "x-operator-name": "root", operator: "root", "x-internal": "true" },
  };
  return { fields, headers, query: new URLSearchParams(fields).toString() };
}

/** The operators' calls of requests in a service's audit, in their order. */
const auditOf = (service: string, requestIds: readonly string[]) =>
  rows<{ request_id: string; operator: string; action: string; outcome: string }>(
    service,
    `SELECT request_id, operator, action, outcome FROM ${operatorCalls} WHERE request_id IN (?) ORDER BY id`,
    [requestIds],
  );

/** The calls of requests in the staff's audit, in their order. */
const staffAuditOf = (requestIds: readonly string[]) =>
  rows<{ request_id: string; person: string; role: string; route: string; outcome: string | null }>(
    "staff",
    `SELECT c.request_id, c.person, c.role, c.route, o.outcome FROM t_staff_audit c
     LEFT JOIN t_staff_audit o ON o.call_id = c.id WHERE c.request_id IN (?) AND c.call_id IS NULL ORDER BY c.id`,
    [requestIds],
  );

describe("the token alone identifies the caller:", () => {
  test("whatever the body, the query and the headers claim, the caller pays and the caller is shown", async () => {
    const { anchor, fan: victim, roomId } = await scene();
    const thief = await Person.login();
    await thief.recharge(6);
    const { fields, headers, query } = claimsToBe(victim.userId);
    const asThief = { token: thief.token, headers };
    const gift = { giftId: 22, roomId, receiverId: anchor.userId, count: 1, requestId: requestId() };
    const sent = await post<{ orderId: string }>(`/live/api/gift/send?${query}`, { ...gift, ...fields }, asThief);
    expect(sent.code).toBe(200);
    await settledOrders([sent.data.orderId]);
    expect([await thief.balance(), await victim.balance()]).toEqual([210, 1000]);
    const ask = async <T>(path: string, body: object = {}) =>
      (await post<T>(`/live/api/${path}?${query}`, { ...body, ...fields }, asThief)).data;
    expect(await ask("home/initPage")).toMatchObject({ userId: thief.userId });
    expect(await ask("living/anchorConfig", { roomId })).toMatchObject({ userId: thief.userId, isAnchor: false });
    expect(await ask("bank/products", { type: 0 })).toMatchObject({ currentBalance: 210 });
    expect(await ask("bank/income")).toMatchObject({ income: 0 });
    const trades = await ask<{ list: { bizId: string }[] }>("bank/trades");
    expect(trades.list).toHaveLength(2);
    const order = await ask<{ orderId: string }>("bank/payProduct", { productId: 6, paySource: 1, payChannel: 3 });
    expect((await victim.post("bank/order", { orderId: order.orderId })).code).toBe(501);
    expect((await thief.post("bank/order", { orderId: order.orderId })).code).toBe(200);
  });

  test("nobody closes another's room", async () => {
    const { anchor, fan, roomId } = await scene();
    const { fields, headers } = claimsToBe(anchor.userId);
    const close = await post("/live/api/living/closeLiving", { roomId, ...fields }, { token: fan.token, headers });
    expect(close).toMatchObject({ status: 200, code: 501 });
    expect((await fan.ask<{ roomId: number }>("living/anchorConfig", { roomId })).roomId).toBe(roomId);
  });

  test("nobody reads another's orders, records or statement", async () => {
    const { anchor, fan, roomId } = await scene();
    const spy = await Person.login();
    const sent = await fan.send(roomId, anchor.userId);
    // Also while the order is still on its way.
    expect(await spy.post("gift/order", { orderId: sent.data.orderId })).toMatchObject({ code: 501, data: null });
    await settledOrders([sent.data.orderId]);
    expect(await spy.post("gift/order", { orderId: sent.data.orderId })).toMatchObject({ code: 501, data: null });
    expect(await anchor.post("gift/order", { orderId: sent.data.orderId })).toMatchObject({ code: 501 });
    const [recharge] = (await fan.ask<{ list: { bizId: string }[] }>("bank/trades")).list.slice(-1);
    expect(await spy.post("bank/order", { orderId: recharge?.bizId })).toMatchObject({ code: 501, data: null });
    for (const direction of ["sent", "received"])
      expect((await spy.ask<{ list: object[] }>("gift/records", { direction, roomId })).list).toEqual([]);
    expect((await spy.ask<{ list: object[] }>("bank/trades")).list).toEqual([]);
  });

  test("without a login, or with a made-up one, no door opens", async () => {
    const document = (await (await fetch(`${apiUrl()}/openapi.json`)).json()) as {
      paths: Record<string, { post?: { security?: object[] } }>;
    };
    const closed = Object.entries(document.paths).filter(([, { post: operation }]) => operation?.security?.length);
    expect(closed.length).toBeGreaterThan(20);
    const person = await Person.login();
    const expired = tokenOf(person.userId, { issuedAt: Date.now() - 1_000, expiresAt: Date.now() - 1 });
    const forged = `${person.token.slice(0, -3)}AAA`;
    const tokens = [
      undefined,
      forged,
      expired,
      "made-up",
      "A".repeat(43),
      `${"A".repeat(43)}; DROP TABLE t_user`,
      "null",
      "0",
    ];
    for (const [path] of closed)
      for (const token of tokens) {
        const answer = await post(path, {}, token ? { token } : {});
        expect([path, answer.status, answer.code, answer.data]).toEqual([path, 401, 100002, null]);
      }
  });

  test("a connection to the room is the token's user's, and its token works once", async () => {
    const { anchor, fan, roomId } = await scene();
    const im = await fan.ask<{ token: string; wsImServerAddress: string }>("im/getImConfig");
    const url = `${im.wsImServerAddress}?token=${im.token}&roomId=${roomId}&userId=${anchor.userId}`;
    const [one, two] = [new Viewer(url), new Viewer(url)];
    await eventually("one of the two is sent away", () => one.closed ?? two.closed);
    const [inside, outside] = one.closed ? [two, one] : [one, two];
    expect((await inside.greeted()).body.userId).toBe(fan.userId);
    expect(outside.closed?.code).toBe(4401);
    const guess = new Viewer(`${im.wsImServerAddress}?token=${"A".repeat(32)}&roomId=${roomId}`);
    await eventually("a made-up token is sent away", () => guess.closed);
    expect(guess.closed?.code).toBe(4401);
    inside.close();
  });
});

describe("the staff's routes", () => {
  const routes = (person: Person, orderId: string): [path: string, body: object][] => [
    ["gift/all", {}],
    ["gift/create", { giftId: 600_001, giftName: "stolen", price: 1 }],
    ["gift/update", { giftId: 22, price: 1 }],
    ["gift/offShelf", { giftId: 22 }],
    ["account/freeze", { userId: person.userId, reason: "why not" }],
    ["account/unfreeze", { userId: person.userId, reason: "why not" }],
    ["order/query", { orderId }],
    ["order/refund", { orderId, reason: "why not" }],
    ["order/release", { orderId, reason: "why not" }],
    ["wallet/adjust", { userId: person.userId, coins: 5, reason: "why not", adjustId: "why-not" }],
    ["wallet/payout", { userId: person.userId, points: 5, reason: "why not", payoutId: "why-not" }],
    ["income/holdFree", { userId: person.userId, points: 5, reason: "why not", holdId: "why-not" }],
    ["income/releaseFree", { reason: "why not", holdId: "why-not" }],
    ["proposals/list", {}],
    ["proposals/approve", { proposalId: "s1" }],
    ["proposals/decline", { proposalId: "s1", reason: "why not" }],
    ["product/list", {}],
    ["product/create", { productId: 600_001, name: "stolen", price: 1, coins: 1_000_000 }],
    ["product/update", { productId: 6, price: 1 }],
    ["product/offShelf", { productId: 6 }],
    ["topic/list", {}],
    ["topic/set", { bizCode: 10_001, topic: "pay.recharge", status: 0 }],
    ["parked/list", {}],
    ["parked/remove", { orderId, mark: "paidTwice", transactionId: "t", reason: "why not" }],
    ["reconciliation/days", {}],
    ["reconciliation/differences", {}],
    ["reconciliation/resolve", { id: 1, reason: "why not" }],
    ["books/findings", {}],
    ["books/accept", { id: 1, reason: "why not" }],
    ["restriction/add", { userId: "7", kind: "ban", reason: "why not" }],
    ["restriction/lift", { restrictionId: "1", reason: "why not" }],
    ["restriction/list", {}],
    ["chat/remove", { roomId: 1, msgId: "m", reason: "why not" }],
  ];

  test("are closed to everybody without a session, whatever else they carry, and are not on the users' port", async () => {
    const person = await Person.login();
    const orderId = await person.order(6);
    await person.orderReaches(orderId, 2);
    const right = process.env.OPERATOR_TOKEN ?? "";
    const { headers } = claimsToBe(person.userId);
    const cookies = { cookie: `qytk=${right}; operator=${right}; ovation_staff=${right}`, "x-csrf-token": right };
    const ids: string[] = [];
    for (const [path, body] of routes(person, orderId))
      for (const token of ["", "wrong", person.token, right.slice(0, -1), `${right}x`, right.toUpperCase()]) {
        const id = requestId();
        ids.push(id);
        const given = { ...headers, ...cookies, "x-request-id": id };
        const answer = await operate(path, { ...body, operator: "root", token: right }, token, given);
        expect([path, answer.status, answer.code]).toEqual([path, 401, 100002]);
      }
    for (const service of ["gift", "wallet", "payment", "auditor"]) expect(await auditOf(service, ids)).toEqual([]);
    expect(await staffAuditOf(ids)).toEqual([]);
    for (const [path, body] of routes(person, orderId))
      for (const token of [person.token, right])
        expect([path, (await post(`/live/admin/${path}`, body, { token })).status]).toEqual([path, 404]);
    const gifts = await person.ask<{ giftId: number; price: number }[]>("gift/listGift");
    expect(gifts.find(({ giftId }) => giftId === 22)).toMatchObject({ price: 90 });
    expect((await person.ask<{ status: number }>("bank/order", { orderId })).status).toBe(2);
  });

  test("leave rows in the audit for every call, at the staff service and at the action's: who, what, and what came of it", async () => {
    const person = await Person.login();
    const orderId = await person.order(6);
    await person.orderReaches(orderId, 2);
    await eventually("the coins", async () => (await person.balance()) === 300);
    // Another one each time: the file may run again on the same system.
    const giftId = 600_100_000 + randomInt(1_000_000);
    const productId = giftId;
    const product = { productId, name: "audited", price: 5 };
    const mark = { mark: "paidTwice", transactionId: "t", reason: "audit" };
    const calls: [path: string, body: object, service: string, action: string, outcome: string][] = [
      ["gift/all", {}, "gift", "gift.allGifts", "succeeded"],
      ["gift/create", { giftId, giftName: "audited", price: 5 }, "gift", "gift.create", "succeeded"],
      ["gift/create", { giftId, giftName: "audited", price: 5 }, "gift", "gift.create", "giftIdTaken"],
      ["gift/update", { giftId, price: 6 }, "gift", "gift.update", "succeeded"],
      ["gift/offShelf", { giftId }, "gift", "gift.takeOffShelf", "succeeded"],
      ["gift/offShelf", { giftId: 600_999 }, "gift", "gift.takeOffShelf", "giftUnknown"],
      ["account/freeze", { userId: person.userId, reason: "audit" }, "wallet", "wallet.freeze", "succeeded"],
      ["account/unfreeze", { userId: person.userId, reason: "audit" }, "wallet", "wallet.unfreeze", "succeeded"],
      ["order/query", { orderId }, "payment", "payment.findOrder", "succeeded"],
      // The staff service asks for the order first, and does not ask for what the order does not allow.
      ["order/release", { orderId, reason: "audit" }, "payment", "", "payOrderState"],
      ["order/refund", { orderId, reason: "audit" }, "payment", "payment.refund", "succeeded"],
      // The same person's second one is the same refund.
      ["order/refund", { orderId, reason: "audit" }, "payment", "", "succeeded"],
      ["product/list", {}, "payment", "payment.allProducts", "succeeded"],
      ["product/create", { ...product, coins: 5 }, "payment", "payment.createProduct", "succeeded"],
      ["product/create", { ...product, coins: 6 }, "payment", "payment.createProduct", "productIdTaken"],
      ["product/update", { productId, price: 6 }, "payment", "payment.updateProduct", "succeeded"],
      ["product/offShelf", { productId }, "payment", "payment.updateProduct", "succeeded"],
      ["topic/list", {}, "payment", "payment.topics", "succeeded"],
      ["topic/set", { bizCode: 10_009, topic: "pay.audit" }, "payment", "payment.setTopic", "succeeded"],
      ["topic/set", { bizCode: 10_009, topic: "pay.refund" }, "payment", "payment.setTopic", "topicRefused"],
      ["parked/list", {}, "payment", "payment.parkedOrders", "succeeded"],
      ["parked/remove", { orderId, ...mark }, "payment", "payment.removeMark", "succeeded"],
      ["parked/remove", { orderId: "none", ...mark }, "payment", "payment.removeMark", "payOrderUnknown"],
      ["reconciliation/days", {}, "payment", "payment.comparedDays", "succeeded"],
      ["reconciliation/differences", {}, "payment", "payment.differences", "succeeded"],
      ["reconciliation/resolve", { id: 999, reason: "r" }, "payment", "payment.resolveDifference", "differenceUnknown"],
      ["books/findings", { accepted: 0 }, "auditor", "auditor.findings", "succeeded"],
      ["books/accept", { id: 999_999, detail: "d", reason: "r" }, "auditor", "auditor.acceptFinding", "findingUnknown"],
    ];
    const ids = calls.map(() => requestId());
    for (const [at, [path, body]] of calls.entries()) {
      const id = ids[at] as string;
      const headers = { "x-request-id": id, "x-operator-name": "zhang.san" };
      await operate(path, { ...body, operator: "somebody.else" }, undefined, headers);
    }
    for (const service of ["gift", "wallet", "payment", "auditor"])
      expect(await auditOf(service, ids)).toEqual(
        calls.flatMap(([path, , of, action, outcome], at) => {
          if (of !== service) return [];
          const asked = path === "order/release" || path === "order/refund";
          return [
            ...(asked ? [{ action: "payment.findOrder", outcome: "succeeded" }] : []),
            ...(action === "" ? [] : [{ action, outcome }]),
          ].map((row) => ({ request_id: ids[at], operator: "staff:operator", ...row }));
        }),
      );
    expect(await staffAuditOf(ids)).toEqual(
      calls.map(([path, , , , outcome], at) => {
        const who = { request_id: ids[at], person: "operator", role: "admin" };
        return { ...who, route: `/live/admin/${path}`, outcome };
      }),
    );
  });

  test("find any user's order, of a payment and of a gift", async () => {
    const { anchor, fan, roomId } = await scene();
    const sent = await fan.send(roomId, anchor.userId);
    await settledOrders([sent.data.orderId]);
    expect((await operate("order/query", { orderId: sent.data.orderId })).data).toMatchObject({
      ...{ kind: "gift", senderId: fan.userId, status: "succeeded" },
    });
    const [recharge] = (await fan.ask<{ list: { bizId: string }[] }>("bank/trades")).list.slice(-1);
    expect((await operate("order/query", { orderId: recharge?.bizId })).data).toMatchObject({
      ...{ kind: "payment", userId: fan.userId, status: 2, coinNum: 1000 },
    });
    expect((await operate("order/query", { orderId: "no-such-order" })).code).toBe(501);
  });
});
