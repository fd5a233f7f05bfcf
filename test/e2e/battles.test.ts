import type { BattleView } from "../../services/battle/battle.contract.ts";
import { Person, post, requestId } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Viewer } from "../support/viewer.ts";

const shown = (person: Person, battleId: string) => person.ask<BattleView>("pk/show", { battleId });
/** Her result, once she was sent in a room that there is one: `pk/show` has a rate. */
async function ended(person: Person, sees: Viewer, battleId: string): Promise<BattleView> {
  const isResult = ({ data }: { data?: Partial<BattleView> }) => data?.battleId === battleId && data.state === "ended";
  await eventually("5559: the result", () => sees.business(5559).some(isResult), 20_000);
  return shown(person, battleId);
}

describe("battles, from outside", () => {
  test("two rooms fight a battle to its end: gifts count for their side, and everybody sees scores and states", async () => {
    const [anna, berta, fan] = await Promise.all([Person.login(), Person.login(), Person.login()]);
    const [rooms, pays] = await Promise.all([
      Promise.all([anna.openRoom("left"), berta.openRoom("right")]),
      fan.order(10),
    ]);
    const [left, right] = rooms as [number, number];
    const [annaSees, bertaSees, fanSees] = [await anna.enter(left), await berta.enter(right), await fan.enter(left)];
    await fan.orderReaches(pays, 2);

    const { battleId } = await anna.ask<{ battleId: string }>("pk/invite", { roomId: left, opponentRoomId: right });
    expect((await berta.post("pk/invite", { roomId: right, opponentRoomId: left })).code).toBe(10007);
    expect((await fan.post("pk/accept", { battleId })).code).toBe(501);
    expect(await berta.ask("pk/accept", { battleId })).toEqual({ battleId });
    expect((await anna.post("pk/cancel", { battleId })).code).toBe(501);
    for (const viewer of [annaSees, bertaSees, fanSees])
      await eventually("5559: it runs", () => viewer.business(5559).some(({ data }) => data?.state === "running"));

    const send = async (roomId: number, to: Person) => {
      const sent = await fan.send(roomId, to.userId, { giftId: 25, requestId: requestId() });
      expect(sent).toMatchObject({ status: 200, code: 200 });
      return sent.data.orderId as string;
    };
    const orderId = await send(left, anna);
    await fan.settled(orderId);
    const latest = () =>
      bertaSees.business(5558).at(-1)?.data as { battleId: string; scores: object[]; remainingMs: number };
    const scores = await eventually("5558 in the other room", () => latest());
    expect(scores).toMatchObject({
      battleId,
      scores: [
        { userId: anna.userId, score: 500 },
        { userId: berta.userId, score: 0 },
      ],
    });
    expect(scores.remainingMs).toBeGreaterThan(0);
    const other = await send(right, berta);
    await fan.settled(other);
    const scored = () => (latest().scores as { score: number }[]).every(({ score }) => score === 500);
    await eventually("both sides have 500", scored);
    expect((await shown(fan, battleId)).sides.map(({ score }) => score)).toEqual([500, 500]);

    expect(await berta.ask("pk/end", { battleId })).toEqual({ battleId });
    const view = await ended(fan, fanSees, battleId);
    expect(view).toMatchObject({ kind: "rooms", winner: null, excluded: [] });
    expect(view.sides.map(({ score, gifts }) => [score, gifts])).toEqual([
      [500, 1],
      [500, 1],
    ]);
    expect(view.sides[0]?.topSenders).toMatchObject([{ userId: fan.userId, coins: 500 }]);
    for (const viewer of [annaSees, bertaSees])
      await eventually("5559: the result", () => viewer.business(5559).some(({ data }) => data?.state === "ended"));
    const { time } = await fan.ask<{ time: string }>("gift/order", { orderId });
    expect(time >= (view.startTime as string) && time < (view.endTime as string)).toBe(true);
    const history = await fan.ask<{ list: BattleView[] }>("pk/history", { userId: anna.userId });
    expect(history.list.map((one) => [one.battleId, one.state])).toEqual([[battleId, "ended"]]);
    for (const person of [anna, berta, fan]) person.leave();
  });

  test("a viewer joins the anchor of a PK room, receives gifts while the battle runs, and drops out of it", async () => {
    const [anchor, guest, fan] = await Promise.all([Person.login(), Person.login(), Person.login()]);
    const { roomId } = await anchor.ask<{ roomId: number }>("living/startingLiving", { type: 2 });
    const pays = await fan.order(10);
    const [, , fanSees] = await Promise.all([anchor.enter(roomId), guest.enter(roomId), fan.enter(roomId)]);
    await fan.orderReaches(pays, 2);
    expect((await fan.send(roomId, guest.userId, { giftId: 25 })).code).toBe(10009);
    const { battleId } = await guest.ask<{ battleId: string }>("living/onlinePk", { roomId });
    expect((await fan.post("living/onlinePk", { roomId })).code).toBe(10007);
    const sent = await eventually("the guest is a receiver", async () => {
      const answer = await fan.send(roomId, guest.userId, { giftId: 25, requestId: requestId() });
      return answer.code === 200 ? answer : undefined;
    });
    await fan.settled(sent.data.orderId);
    expect(await guest.ask("living/offlinePk", { roomId })).toEqual({ battleId });
    const view = await ended(fan, fanSees, battleId);
    expect(view).toMatchObject({ kind: "guest", winner: guest.userId });
    expect(view.sides.map(({ userId, score }) => [userId, score])).toEqual([
      [anchor.userId, 0],
      [guest.userId, 500],
    ]);
    await eventually(
      "she is no receiver any more",
      async () => (await fan.send(roomId, guest.userId, { giftId: 25 })).code === 10009,
    );
    for (const person of [anchor, guest, fan]) person.leave();
  });

  test("nobody acts in a battle without a login, and unknown battles are 501", async () => {
    expect(await post("/live/api/pk/show", { battleId: "1" })).toMatchObject({ status: 401, code: 100002 });
    const person = await Person.login();
    expect(await person.post("pk/show", { battleId: "999999999" })).toMatchObject({ status: 200, code: 501 });
    expect(await person.post("pk/show", {})).toMatchObject({ status: 400, code: 100001 });
    expect(await person.post("pk/invite", { roomId: 1, opponentRoomId: 2, durationS: 59 })).toMatchObject({
      code: 100001,
    });
  });
});
