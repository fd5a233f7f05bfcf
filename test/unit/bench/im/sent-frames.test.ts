import { deflateRawSync } from "node:zlib";
import { orderIdAt } from "../../../../bench/im/offer.ts";
import { SentFrames } from "../../../../bench/im/sent-frames.ts";
import { wires } from "../../../../bench/im/wires.ts";
import { orderTag } from "../../../../services/im-server/frames-v2.ts";

const startedAt = Date.now() - 60_000;
const [a, b, c] = [0, 5, 7].map((ms) => orderIdAt(startedAt + ms, ms)) as [string, string, string];

const roomFrame = (msgId: string, gifts: { orderIds: string[]; count: number }[], bizCode = 5556) =>
  Buffer.from(JSON.stringify({ code: 1003, body: { msgId, appId: 10_001, userId: "0", bizCode, data: { gifts } } }));
const event = (orderId: string, count: number) => Buffer.from(`42${JSON.stringify(["gift", { orderId, count }])}`);

describe("frames that viewers received", () => {
  it("are one frame for all viewers, parsed once", () => {
    let read = 0;
    const frames = new SentFrames(40, (data, isBinary) => {
      read++;
      return wires.im.gifts(data, isBinary);
    });
    const text = () =>
      roomFrame("m1", [
        { orderIds: [a, b], count: 6 },
        { orderIds: [c], count: 1 },
      ]);
    const shown = Array.from({ length: 40 }, (_, viewer) => frames.shown(viewer, text()));
    expect(shown.every((frame) => frame?.sum === 7)).toBe(true);
    expect(shown[39]?.sentAt).toEqual([startedAt, startedAt + 5, startedAt + 7]);
    expect(read).toBe(1);
    expect(frames.repeated).toEqual([]);
  });

  it("count once for a viewer that receives one twice", () => {
    const frames = new SentFrames(2, wires.im.gifts);
    const text = roomFrame("m1", [{ orderIds: [a], count: 1 }]);
    expect([frames.shown(0, text), frames.shown(0, text), frames.shown(1, text)].map(Boolean)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("are distinguished by their whole text", () => {
    const frames = new SentFrames(1, wires.im.gifts);
    const long = "m".repeat(100);
    expect(frames.shown(0, roomFrame(long, [{ orderIds: [a], count: 1 }]))?.sum).toBe(1);
    expect(frames.shown(0, roomFrame(long, [{ orderIds: [b], count: 2 }]))?.sum).toBe(2);
  });

  it("an order in a second frame is detected", () => {
    const frames = new SentFrames(2, wires.im.gifts);
    frames.shown(0, roomFrame("m1", [{ orderIds: [a], count: 1 }]));
    frames.shown(1, roomFrame("m2", [{ orderIds: [a], count: 1 }]));
    expect(frames.repeated).toEqual([orderTag(a)]);
  });

  it("of version 2 count the same, compressed or not", () => {
    const gifts = [
      ["7", 3, 2, orderTag(a), orderTag(b), 5, orderTag(c), { to: "8" }],
      ["8", 3, 1, orderTag(orderIdAt(startedAt, 99))],
    ];
    const text = Buffer.from(JSON.stringify({ code: 1003, body: { bizCode: 5556, data: { gifts } } }));
    for (const [data, isBinary] of [[text, false] as const, [deflateRawSync(text), true] as const]) {
      const frames = new SentFrames(1, wires.im.gifts);
      expect(frames.shown(0, data, isBinary)).toMatchObject({
        sum: 10,
        sentAt: [0, 5, 7, 0].map((ms) => startedAt + ms),
      });
    }
  });

  it("without gifts have no gifts to count", () => {
    const frames = new SentFrames(1, wires.im.gifts);
    expect(frames.shown(0, roomFrame("m1", [], 5555))).toBeUndefined();
    expect(frames.shown(0, Buffer.from('{"code":1004,"body":{}}'))).toBeUndefined();
  });

  it("of Socket.IO are events with one gift each", () => {
    const frames = new SentFrames(1, wires.socketio.gifts);
    expect(frames.shown(0, event(a, 3))).toMatchObject({ sum: 3, sentAt: [startedAt] });
    for (const other of ["2", "40{}", '42["other",{"orderId":"1-a","count":1}]'])
      expect(frames.shown(0, Buffer.from(other))).toBeUndefined();
  });
});

describe("the handshake of Socket.IO", () => {
  const { greet, answer } = wires.socketio;

  it("connects after the open packet and is done after the answer", () => {
    expect(greet(Buffer.from('0{"sid":"x"}'))).toEqual({ reply: "40" });
    expect(greet(Buffer.from('40{"sid":"y"}'))).toBe("in");
    expect(greet(Buffer.from("2"))).toBeUndefined();
  });

  it("answers pings alone", () => {
    expect([answer(Buffer.from("2")), answer(event(a, 1))]).toEqual(["3", undefined]);
  });
});
