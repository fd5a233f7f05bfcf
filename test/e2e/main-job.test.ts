import { Person, post, pressCashier, randomPhone, requestId, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";

describe("the main job, from outside", () => {
  test("log in, recharge, enter a room, send a gift: the coins move once, the anchor earns, everybody sees it", async () => {
    const [anchor, fan, guest] = await Promise.all([Person.login(), Person.login(), Person.login()]);
    const roomId = await anchor.openRoom("the stage");
    const [anchorSees, fanSees, guestSees] = await Promise.all([
      anchor.enter(roomId),
      fan.enter(roomId),
      guest.enter(roomId),
    ]);

    const orderId = await fan.order(10);
    const notice = await eventually("5561", () => fanSees.business(5561)[0]);
    expect(notice).toMatchObject({ userId: fan.userId, data: { orderId, coins: 1000 } });
    expect(await fan.balance()).toBe(1000);
    await fan.orderReaches(orderId, 2);
    expect(guestSees.business(5561)).toEqual([]);

    const sent = await fan.send(roomId, anchor.userId, { giftId: 25, requestId: requestId() });
    expect(sent).toMatchObject({ status: 200, code: 200 });
    const gift = { senderId: fan.userId, receiverId: anchor.userId, giftId: 25, count: 1, price: 500 };
    for (const viewer of [anchorSees, fanSees, guestSees])
      expect(await viewer.saw(sent.data.orderId)).toMatchObject(gift);
    expect(await fan.settled(sent.data.orderId)).toMatchObject({ status: "succeeded" });
    expect(await fan.balance()).toBe(500);
    await eventually("the income", async () => (await anchor.ask<{ income: number }>("bank/income")).income === 250);
    const trades = await fan.ask<{ list: object[] }>("bank/trades", { limit: 10 });
    expect(trades.list).toMatchObject([
      { num: -500, type: 0, status: 1, bizId: sent.data.orderId, balanceAfter: 500 },
      { num: 1000, type: 1, status: 1, bizId: orderId, balanceAfter: 1000 },
    ]);
    const received = await anchor.ask<{ list: object[] }>("gift/records", { direction: "received" });
    expect(received.list).toMatchObject([{ orderId: sent.data.orderId, senderId: fan.userId, status: "succeeded" }]);
    for (const person of [anchor, fan, guest]) person.leave();
  });

  test("the same user in a second window replaces the first, which is told not to come back", async () => {
    const { anchor, roomId } = await scene();
    const first = await anchor.enter(roomId);
    const second = await anchor.enter(roomId);
    await eventually("the first is closed", () => first.closed);
    expect(first.closed?.code).toBe(4409);
    expect(second.closed).toBeUndefined();
    anchor.leave();
  });

  test("chat reaches the room under the sender's own name, whatever the body contains", async () => {
    const { anchor, fan, roomId } = await scene();
    const [anchorSees, fanSees] = [await anchor.enter(roomId), await fan.enter(roomId)];
    fanSees.send(1003, {
      appId: 10001,
      bizCode: 5555,
      userId: anchor.userId,
      data: { content: "hello", userId: "1", roomId: 1 },
    });
    const line = await eventually("the chat line", () => anchorSees.business(5555)[0]);
    expect(line).toMatchObject({ userId: fan.userId, data: { content: "hello", roomId } });
    anchor.leave();
    fan.leave();
  });

  test("a cancelled order is never paid, and pressing pay afterwards changes nothing", async () => {
    const fan = await Person.login();
    const order = await fan.ask<{ orderId: string; payUrl: string }>("bank/payProduct", {
      productId: 6,
      paySource: 2,
      payChannel: 3,
    });
    expect(await (await fetch(order.payUrl)).text()).toContain("action");
    await pressCashier(order.payUrl, "cancel");
    await fan.orderReaches(order.orderId, 3);
    await pressCashier(order.payUrl, "pay");
    expect((await fan.ask<{ status: number }>("bank/order", { orderId: order.orderId })).status).toBe(3);
    expect(await fan.balance()).toBe(0);
  });

  test("a closed room takes no gifts, is in no list, and its viewers are told", async () => {
    const { anchor, fan, roomId } = await scene();
    const viewer = await fan.enter(roomId);
    expect((await fan.post("living/closeLiving", { roomId })).code).toBe(501);
    expect((await anchor.post("living/closeLiving", { roomId })).code).toBe(200);
    await eventually("5562", () => viewer.business(5562)[0]);
    const refused = await eventually("the room is gone on every node", async () => {
      const answer = await fan.send(roomId, anchor.userId);
      return answer.code === 10009 ? answer : undefined;
    });
    expect(refused.status).toBe(200);
    const config = await fan.ask<{ roomId: number }>("living/anchorConfig", { roomId });
    expect(config.roomId).toBe(-1);
    fan.leave();
  });

  test("logging out kills the token", async () => {
    const person = await Person.login();
    expect((await person.post("home/initPage")).code).toBe(200);
    expect((await post("/live/api/userLogin/logout", {}, { token: person.token })).code).toBe(200);
    expect(await person.post("home/initPage")).toMatchObject({ status: 401, code: 100002 });
  });

  test("a phone logs in to the same user again, also with the code as a form field", async () => {
    const phone = randomPhone();
    const first = await Person.login(phone);
    const again = await eventually("a new code may be asked for", async () => {
      const sent = await post<{ devCode?: string }>("/live/api/userLogin/sendLoginCode", { phone });
      return sent.data?.devCode;
    });
    const response = await fetch(`${process.env.API_URL}/live/api/userLogin/login`, {
      method: "POST",
      body: new URLSearchParams({ phone, code: again }),
    });
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^qytk=[^;]+; .*HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    expect(await response.json()).toMatchObject({ code: 200, data: { userId: first.userId } });
  });
});
