import { Combos } from "../../../services/gift/combos.ts";
import { showEffects } from "../../../services/gift/effects.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";

const gift = (recordId: number, changed: Partial<SettledGift> = {}): SettledGift => ({
  orderId: `o${recordId}`,
  recordId: String(recordId),
  status: "succeeded",
  ...{ senderId: "7", receiverId: "1", roomId: 5, giftId: 3, count: 2, price: 10 },
  ...{ income: 10, incomePoints: 1_000, type: 0, url: "" },
  time: "2026-11-26T16:00:00.000Z",
  ...changed,
});

/** A gift service whose router accepts, or refuses with `failing`. */
function service() {
  const sent: { orderId: string; combo?: { id: string; count: number } }[] = [];
  const state = { failing: false };
  const call = async (_action: string, { rooms }: { rooms: { gifts: typeof sent }[] }) => {
    if (state.failing) throw Object.assign(new Error("away"), { type: "unavailable", code: 503 });
    sent.push(...rooms.flatMap(({ gifts }) => gifts));
  };
  const self = { broker: { call }, logger: { error: jest.fn() }, combos: new Combos() };
  const show = (...gifts: SettledGift[]) =>
    showEffects.call(self as never, { data: { gifts }, requestId: undefined } as never);
  const combos = () => sent.map(({ orderId, combo }) => [orderId, combo?.count]);
  return { show, combos, state };
}

test("the gifts of a sender are shown with their streak, over the events, and those that failed do not count", async () => {
  const { show, combos } = service();
  await show(gift(1), gift(2, { status: "failed" }), gift(3), gift(4, { senderId: "8" }));
  await show(gift(5), gift(6, { roomId: 6 }));
  expect(combos()).toEqual([
    ["o1", 2],
    ["o3", 4],
    ["o4", 2],
    ["o5", 6],
    ["o6", 2],
  ]);
});

test("an event that is repeated after an outage does not count twice, and those that came meanwhile count once", async () => {
  const { show, combos, state } = service();
  state.failing = true;
  await expect(show(gift(1))).rejects.toThrow("away");
  state.failing = false;
  await show(gift(2));
  await show(gift(1));
  await show(gift(3));
  expect(combos()).toEqual([
    ["o2", 4],
    ["o1", 4],
    ["o3", 6],
  ]);
});

test("events that are shown at the same time count in the order in which they were started", async () => {
  const { show, combos } = service();
  await Promise.all([show(gift(1)), show(gift(2)), show(gift(3))]);
  expect(combos().map(([, count]) => count)).toEqual([2, 4, 6]);
});
