import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { numberedFrame } from "../../../services/im-frames.ts";
import { RoomTick } from "../../../services/im-router/room-tick.ts";

interface Gift {
  orderIds: string[];
  senderId: string;
  count: number;
}

const gift = (orderId: string, count = 1, senderId = "5") => ({
  orderId,
  senderId,
  receiverId: "1",
  giftId: 3,
  count,
  price: 10,
  url: "",
});
let ids = 0;
const newTick = () => new RoomTick(() => `id${++ids}`);
const noBound = Number.MAX_SAFE_INTEGER;
const bodies = (tick: RoomTick, orders = 500, bytes = noBound) =>
  tick.frames({ orders, bytes }).map((frame) => JSON.parse(numberedFrame(frame, 1, "e")).body);

test("alike gifts are one entry with their order ids together, others are not", () => {
  const tick = newTick();
  tick.addGifts({ roomId: 1, gifts: [gift("a"), gift("b"), gift("c", 2), gift("d", 1, "6")] });
  const [body] = bodies(tick);
  expect(body).toMatchObject({ bizCode: 5556, userId: "0", appId: 10001 });
  expect(body.data.gifts).toEqual([
    { orderIds: ["a", "b"], senderId: "5", receiverId: "1", giftId: 3, count: 2, price: 10, url: "" },
    { orderIds: ["c"], senderId: "5", receiverId: "1", giftId: 3, count: 2, price: 10, url: "" },
    { orderIds: ["d"], senderId: "6", receiverId: "1", giftId: 3, count: 1, price: 10, url: "" },
  ]);
});

test("like gifts of a streak are one entry with its highest combo", () => {
  const tick = newTick();
  const combo = (count: number, id = "s") => ({ combo: { id, count } });
  const gifts = [
    { ...gift("a"), ...combo(1) },
    { ...gift("b"), ...combo(3) },
    { ...gift("c"), ...combo(2) },
    { ...gift("d", 5), ...combo(8) },
    { ...gift("e", 1, "6"), ...combo(9, "t") },
    { ...gift("f", 1, "6"), ...combo(1, "u") },
    gift("g", 1, "7"),
  ];
  tick.addGifts({ roomId: 1, gifts });
  const entries = bodies(tick)[0].data.gifts as (Gift & { combo: unknown })[];
  expect(entries.map(({ orderIds, combo: shown }) => [orderIds, shown])).toEqual([
    [["a", "b", "c"], { id: "s", count: 3 }],
    [["d"], { id: "s", count: 8 }],
    // A newer streak of the sender, as after a change of nodes.
    [["e", "f"], { id: "u", count: 1 }],
    [["g"], undefined],
  ]);
});

test("an order that two callers bring is in the tick once", () => {
  const tick = newTick();
  tick.addGifts({ roomId: 1, gifts: [gift("a"), gift("a")] });
  tick.addGifts({ roomId: 1, gifts: [gift("a")] });
  expect(tick.size).toBe(1);
  expect(bodies(tick)[0].data.gifts[0].count).toBe(1);
});

test("messages keep their order, and gifts stand where the first of them came", () => {
  const tick = newTick();
  const message = (msgId: string) => tick.addMessage(1, { msgId, userId: "7", bizCode: 5555, data: {} });
  message("m1");
  tick.addGifts({ roomId: 1, gifts: [gift("a")] });
  message("m2");
  tick.addGifts({ roomId: 1, gifts: [gift("b")] });
  expect(bodies(tick).map(({ bizCode }) => bizCode)).toEqual([5555, 5556, 5555]);
});

test("rooms never share a frame", () => {
  const tick = newTick();
  for (const roomId of [1, 2]) tick.addGifts({ roomId, gifts: [gift(`o${roomId}`)] });
  expect(bodies(tick).map(({ data }) => [data.roomId, data.gifts.length])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

const idOf = (n: number) => `order-${String(n).padStart(34, "0")}`;

test("over all frames every order stands once, each for its own count, in frames of bounded size", () => {
  const gifts = fc.uniqueArray(
    fc.record({ id: fc.nat(500), count: fc.constantFrom(1, 99, 9_999), sender: fc.integer({ min: 1, max: 4 }) }),
    { selector: ({ id }) => id, maxLength: 200 },
  );
  fc.assert(
    fc.property(
      gifts,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 240, max: 2_000 }),
      (given, perFrame, bytes) => {
        const tick = newTick();
        for (const { id, count, sender } of given)
          tick.addGifts({
            roomId: 1,
            gifts: [{ ...gift(idOf(id), count, String(sender)), combo: { id: `combo${sender}`, count: id + 1 } }],
          });
        const frames = given.length === 0 ? [] : bodies(tick, perFrame, bytes);
        const shares = frames.flatMap(({ data }) =>
          (data.gifts as Gift[]).flatMap(({ orderIds, count }) => orderIds.map((id) => [id, count / orderIds.length])),
        );
        expect(Object.fromEntries(shares)).toEqual(Object.fromEntries(given.map(({ id, count }) => [idOf(id), count])));
        expect(shares).toHaveLength(given.length);
        for (const { data } of frames) {
          expect((data.gifts as Gift[]).flatMap(({ orderIds }) => orderIds).length).toBeLessThanOrEqual(perFrame);
          expect(Buffer.byteLength(JSON.stringify(data.gifts))).toBeLessThanOrEqual(bytes);
        }
        expect(new Set(frames.map(({ msgId }) => msgId)).size).toBe(frames.length);
      },
    ),
  );
});

test("a message that would be larger than a room's frame may be is refused, and what else is in the tick goes out", () => {
  const tick = newTick();
  tick.addGifts({ roomId: 1, gifts: [gift("a")] });
  const data = { text: "礼".repeat(limits.im.roomFrameBytes / 3) };
  expect(() => tick.addMessage(1, { msgId: "m", userId: "0", bizCode: 5560, data })).toThrow(
    expect.objectContaining({ type: "messageTooLarge", data: expect.objectContaining({ msgId: "m" }) }),
  );
  expect(bodies(tick).map(({ bizCode }) => bizCode)).toEqual([5556]);
});
