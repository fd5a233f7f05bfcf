import { Person as People, type Person, requestId } from "../support/client.ts";
import { crowd, each, spread } from "../support/crowd.ts";
import { eventually } from "../support/eventually.ts";
import { type Outcome, settledOrders } from "../support/outcomes.ts";
import type { Viewer } from "../support/viewer.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

const senders = 30;
const giftsEach = 15;
const gifts = [
  { giftId: 22, price: 90 },
  { giftId: 23, price: 20 },
  { giftId: 24, price: 1 },
] as const;

afterAll(expectWholeBooksBalanced);

/** The counts that succeeded, by order id. */
const succeededCounts = (outcomes: readonly Outcome[]) =>
  Object.fromEntries(
    outcomes.filter(({ status }) => status === "succeeded").map(({ orderId, count }) => [orderId, count]),
  );

const seenCounts = (viewers: readonly Viewer[]) =>
  Object.fromEntries(viewers.flatMap((viewer) => [...viewer.countsByOrder()]));

/** Waits until the viewers have seen as many orders, and checks that they have seen exactly these. */
async function expectSeen(viewers: readonly Viewer[], expected: Record<string, number>): Promise<void> {
  const orders = Object.keys(expected).length;
  await eventually(`${orders} orders seen`, () => Object.keys(seenCounts(viewers)).length >= orders, 15_000);
  expect(seenCounts(viewers)).toEqual(expected);
}

/** One gift after the other, of both send types (every type is shown as 5556), some pressed twice. */
async function sendAll(sender: Person, roomId: number, anchorId: string): Promise<string[]> {
  const orderIds: string[] = [];
  for (let n = 0; n < giftsEach; n++) {
    const { giftId } = gifts[n % gifts.length] as (typeof gifts)[number];
    const press = { giftId, count: 1 + (n % 3), type: n % 2, requestId: requestId() };
    const answers = await Promise.all(
      (n % 5 === 0 ? [press, press] : [press]).map((body) => sender.send(roomId, anchorId, body)),
    );
    for (const { code, data } of answers) {
      if (code !== 200 && code !== 10010) throw new Error(`gift/send answered ${code}`);
      if (code === 200 && !orderIds.includes(data.orderId)) orderIds.push(data.orderId);
    }
  }
  return orderIds;
}

test(`${senders * giftsEach} gifts of ${senders} senders: over distinct order ids every viewer sees exactly what succeeded`, async () => {
  const [anchor, people] = await Promise.all([People.login(), crowd(senders)]);
  const roomId = await anchor.openRoom("the burst");
  const guests = await each(Array.from({ length: 5 }), 5, () => People.login());
  const viewers = await Promise.all([anchor, ...guests, ...people.slice(0, 4)].map((person) => person.enter(roomId)));
  if (process.env.TOPOLOGY === "cluster") await spread(2, viewers, anchor, roomId);

  // Two come late; two lose their connection on the way and come back with what they saw.
  const [leaver, second] = guests as [Person, Person];
  const sending = Promise.all(people.map((person) => sendAll(person, roomId, anchor.userId)));
  const returned = await Promise.all(
    [leaver, second].map(async (person, at) => {
      const before = viewers[at + 1] as Viewer;
      await eventually("some of the gifts", () => before.countsByOrder().size > 20 + 60 * at);
      before.close();
      await eventually("the socket is gone", () => before.closed);
      const after = await person.enter(roomId, before.position());
      return { before, after };
    }),
  );
  const orderIds = (await sending).flat();
  const outcomes = await settledOrders(orderIds);
  const expected = succeededCounts(outcomes);
  expect(Object.keys(expected).length).toBeGreaterThan(200);

  const stayed = viewers.filter((viewer) => !returned.some(({ before }) => before === viewer));
  for (const viewer of stayed) await expectSeen([viewer], expected);
  for (const { before, after } of returned) {
    expect((await after.greeted()).body).toMatchObject({ recovered: true });
    await expectSeen([before, after], expected);
  }
  for (const viewer of stayed) {
    const seq = viewer.sequence();
    expect(seq).toEqual(seq.map((_, at) => (seq[0] as number) + at));
  }

  const spent = outcomes
    .filter(({ status }) => status === "succeeded")
    .map(({ price, count }) => ({ total: price * count, points: price * count * 50 }));
  const incomePoints = spent.reduce((sum, { points }) => sum + points, 0);
  await eventually(
    "the income",
    async () => (await anchor.ask<{ incomePoints: number }>("bank/income")).incomePoints === incomePoints,
  );
  const balances = await Promise.all(people.map((person) => person.balance()));
  expect(balances.reduce((a, b) => a + b, 0)).toBe(1000 * senders - spent.reduce((sum, { total }) => sum + total, 0));
  expect(balances.filter((balance) => balance < 0)).toEqual([]);
  expect((await receivedOf(anchor)).sort()).toEqual(Object.keys(expected).sort());
  for (const person of [anchor, ...guests, ...people]) person.leave();
});

/** Every gift that a person received, page by page. */
async function receivedOf(person: Person): Promise<string[]> {
  const orderIds: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: { list: { orderId: string }[]; nextCursor: string | null } = await person.ask("gift/records", {
      ...{ direction: "received", limit: 100, cursor },
    });
    orderIds.push(...page.list.map(({ orderId }) => orderId));
    cursor = page.nextCursor;
  }
  return orderIds;
}
