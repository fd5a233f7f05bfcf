import { config } from "../../../config/config.ts";
import { dropKeys } from "../../../scripts/drop-namespace.ts";
import { Person as People, type Person, requestId } from "../../support/client.ts";
import { crowd } from "../../support/crowd.ts";
import { eventually } from "../../support/eventually.ts";
import { settledOrders, tradesOfUser } from "../../support/outcomes.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

const senders = 10;
const giftsEach = 24;

const wipe = () => dropKeys(config().NAMESPACE, config().REDIS_URL);

afterAll(expectWholeBooksBalanced);

interface Gift {
  person: Person;
  body: Record<string, unknown>;
}

/** Everybody sends hers one after the other; Redis is wiped whenever so many have been accepted. */
async function sendAll(gifts: readonly Gift[], roomId: number, anchorId: string, wipeAfter: readonly number[]) {
  const orderIds = new Map<Gift, string>();
  await Promise.all(
    [...Map.groupBy(gifts, ({ person }) => person).values()].map(async (own) => {
      for (const gift of own) {
        const { person, body } = gift;
        orderIds.set(gift, await person.sent(roomId, anchorId, body));
        if (wipeAfter.includes(orderIds.size)) await wipe();
      }
    }),
  );
  return gifts.map((gift) => orderIds.get(gift) as string);
}

test("Redis is wiped while gifts are sent: no login and no coin is lost, each request is charged once, and its effect is shown", async () => {
  const [anchor, people] = await Promise.all([People.login(), crowd(senders)]);
  const roomId = await anchor.openRoom("wiped");
  const viewers = await Promise.all([anchor, ...people.slice(0, 3)].map((person) => person.enter(roomId)));
  const gifts = people.flatMap((person) =>
    Array.from({ length: giftsEach }, (_, n) => ({
      ...{ person, body: { giftId: 24, count: 1 + (n % 4), requestId: requestId() } },
    })),
  );
  const orderIds = await sendAll(gifts, roomId, anchor.userId, [gifts.length / 4]);
  expect(new Set(orderIds).size).toBe(gifts.length);
  const outcomes = await settledOrders(orderIds);
  expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
  const expected = Object.fromEntries(outcomes.map(({ orderId, count }) => [orderId, count]));
  for (const viewer of viewers) {
    await eventually("every effect", () => viewer.countsByOrder().size >= gifts.length, 15_000);
    expect(Object.fromEntries(viewer.countsByOrder())).toEqual(expected);
    expect(viewer.closed).toBeUndefined();
  }

  // What was accepted before is known all the same, by the queue or by the books, while it is wiped again and again.
  expect(await sendAll(gifts, roomId, anchor.userId, [1, 80, 160])).toEqual(orderIds);
  const coins = outcomes.reduce((sum, { count }) => sum + count, 0);
  expect(coins).toBe(senders * (giftsEach / 4) * 10);
  for (const person of people) {
    expect(await person.balance()).toBe(1000 - coins / senders);
    expect(await tradesOfUser(person.userId)).toHaveLength(1 + giftsEach);
  }
  for (const person of [anchor, ...people]) person.leave();
});

test("Redis wiped while orders are paid credits each once", async () => {
  const fan = await People.login();
  const paying = Array.from({ length: 5 }, () => fan.order(6));
  const orderIds = await Promise.all(paying);
  await wipe();
  await eventually("the coins", async () => (await fan.balance()) === 1500);
  expect((await tradesOfUser(fan.userId)).map(({ bizId }) => bizId).sort()).toEqual(orderIds.sort());
});

test("a wiped Redis logs nobody out and makes no revoked token valid, and the next login is the same user", async () => {
  const [stays, leaves] = [await People.login(), await People.login()];
  const other = await People.login(leaves.phone);
  await leaves.ask("userLogin/logout");
  await wipe();
  expect((await stays.post("home/initPage")).code).toBe(200);
  expect((await other.post("home/initPage")).code).toBe(200);
  expect((await leaves.post("home/initPage")).code).toBe(100002);
  await other.ask("userLogin/logoutAll");
  await eventually("logged out everywhere", async () => (await other.post("home/initPage")).code === 100002);
  await leaves.loginAgain();
  expect(await leaves.ask("home/initPage")).toMatchObject({ userId: other.userId });
});
