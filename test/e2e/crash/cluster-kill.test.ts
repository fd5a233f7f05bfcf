import type { Child } from "../../../scripts/children.ts";
import { Person as People, type Person, requestId } from "../../support/client.ts";
import { nodeOf, signalNode, startExtraNode } from "../../support/cluster-nodes.ts";
import { crowd, each, spread } from "../../support/crowd.ts";
import { eventually } from "../../support/eventually.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { type Outcome, recordsOf, settledOrders } from "../../support/outcomes.ts";
import type { Viewer } from "../../support/viewer.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

/**
 * The system in many processes, of which this file kills some, one after the other, and leaves them dead: a dead node is
 * noticed after one to two heartbeat timeouts (8 s), what it had taken comes back after the ack wait (10 s).
 */
const inCluster = process.env.TOPOLOGY === "cluster" ? describe : describe.skip;

const senders = 8;
/** Gifts that a sender has under way at the same time, and how many follow each other in each of these lanes. */
const lanes = 3;
const giftsEach = 16;
const settleMs = 60_000;

let anchor: Person;
let people: Person[] = [];
let viewers: Viewer[] = [];
let roomId = 0;
let extra: Child | undefined;

/** `accepted` is told the total after each. */
async function sendMany(gifts: number, accepted: (total: number) => void = () => {}): Promise<string[]> {
  let total = 0;
  const all = people
    .flatMap((person) => Array.from({ length: lanes }, () => person))
    .map(async (person) => {
      const orderIds: string[] = [];
      for (let n = 0; n < gifts; n++) {
        const body = { giftId: 24, count: 1 + (n % 3), requestId: requestId() };
        orderIds.push(await person.sent(roomId, anchor.userId, body));
        accepted(++total);
      }
      return orderIds;
    });
  return (await Promise.all(all)).flat();
}

/** Connects again, as a client does: patiently. */
function comeBack(person: Person, after: Viewer): Promise<Viewer> {
  return eventually(
    "a place on another im-server",
    () => person.enter(roomId, after.position()).catch(() => undefined),
    settleMs,
  );
}

/** Over distinct order ids the viewer has seen exactly these. */
async function expectSeen(viewer: Viewer, outcomes: readonly Outcome[]): Promise<void> {
  const missing = () => outcomes.filter(({ orderId, count }) => viewer.countsByOrder().get(orderId) !== count);
  await eventually(`${outcomes.length} effects seen`, () => missing().length === 0, settleMs);
}

inCluster("a cluster whose nodes are killed", () => {
  jest.setTimeout(120_000);

  beforeAll(async () => {
    [anchor, people] = await Promise.all([People.login(), crowd(senders)]);
    roomId = await anchor.openRoom("the storm");
    viewers = await each([anchor, ...people.slice(0, 5)], 1, (person) => person.enter(roomId));
    await spread(2, viewers, anchor, roomId, settleMs);
  });

  afterAll(async () => {
    for (const person of [anchor, ...people]) person.leave();
    await extra?.stop(20_000);
    await expectWholeBooksBalanced();
  });

  test("a gift, a wallet and an im-router node killed while gifts fly: each accepted gift is settled once and seen by all", async () => {
    const at: Record<number, string> = { 60: "gift-1", 66: "wallet-1", 72: "im-router-1" };
    const orderIds = await sendMany(giftsEach, (total) => {
      const label = at[total];
      if (label) signalNode(label, "SIGKILL");
    });
    expect(new Set(orderIds).size).toBe(senders * lanes * giftsEach);
    const outcomes = await settledOrders(orderIds, settleMs);
    expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
    for (const viewer of viewers) await expectSeen(viewer, outcomes);
    expect(viewers.filter(({ closed }) => closed)).toEqual([]);
  });

  test("an im-server that is stopped sends its viewers away with 4503; they come back elsewhere and miss nothing", async () => {
    const going = nodeOf("im-server-1");
    const [leaving, staying] = [true, false].map((goes) =>
      viewers.filter(({ server }) => server.endsWith(`:${going.ports["im-server"]}`) === goes),
    ) as [Viewer[], Viewer[]];
    expect(leaving.length).toBeGreaterThan(0);
    const positions = new Map(leaving.map((viewer) => [viewer, viewer.position()]));
    signalNode("im-server-1", "SIGTERM");
    const orderIds = await sendMany(4);
    await eventually("everybody of it is told", () => leaving.every(({ closed }) => closed), settleMs);
    expect(leaving.map(({ closed }) => closed?.code)).toEqual(leaving.map(() => 4503));
    const outcomes = await settledOrders(orderIds, settleMs);
    for (const viewer of leaving) {
      const person = [anchor, ...people][viewers.indexOf(viewer)] as Person;
      const { seq } = viewer.position();
      expect(seq).toBeGreaterThanOrEqual(positions.get(viewer)?.seq as number);
      const back = await comeBack(person, viewer);
      expect((await back.greeted()).body).toMatchObject({ userId: person.userId, recovered: true });
      expect(back.server).not.toBe(viewer.server);
      const seen = new Map([...viewer.countsByOrder(), ...back.countsByOrder()]);
      const seesAll = () => {
        for (const [orderId, count] of back.countsByOrder()) seen.set(orderId, count);
        return outcomes.every(({ orderId, count }) => seen.get(orderId) === count);
      };
      await eventually("all effects", seesAll, settleMs);
    }
    for (const viewer of staying) await expectSeen(viewer, outcomes);
    expect(staying.filter(({ closed }) => closed)).toEqual([]);
  });

  test("a gift accepted before the last settler dies is settled once one comes back", async () => {
    const [one] = people as [Person];
    const body = () => ({ giftId: 24, count: 1, requestId: requestId() });
    const first = await one.sent(roomId, anchor.userId, body());
    await settledOrders([first], settleMs);
    const held = await holdAccounts(people.map(({ userId }) => userId));
    const sending = people.flatMap((person) =>
      Array.from({ length: 4 }, () => person.sent(roomId, anchor.userId, body())),
    );
    const accepted = await Promise.all(sending);
    signalNode("gift-2", "SIGKILL");
    await held.release();
    extra = startExtraNode("gift", "gift-3");
    expect(await recordsOf(accepted)).toEqual([]);
    await extra.ready;
    const outcomes = await settledOrders(accepted, settleMs);
    expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
  });
});
