import { SentFrames } from "../../../../bench/im/sent-frames.ts";
import { type ShownGifts, wires } from "../../../../bench/im/wires.ts";

const roomFrame = (msgId: string, gifts: ShownGifts[], bizCode = 5556) =>
  Buffer.from(JSON.stringify({ code: 1003, body: { msgId, appId: 10_001, userId: "0", bizCode, data: { gifts } } }));
const event = (orderId: string, count: number) => Buffer.from(`42${JSON.stringify(["gift", { orderId, count }])}`);

describe("frames that viewers received", () => {
  it("are one frame for all viewers, parsed once", () => {
    let read = 0;
    const frames = new SentFrames(40, (text) => {
      read++;
      return wires.im.gifts(text);
    });
    const text = () =>
      roomFrame("m1", [
        { orderIds: ["1000-a", "1005-b"], count: 6 },
        { orderIds: ["1007-c"], count: 1 },
      ]);
    const shown = Array.from({ length: 40 }, (_, viewer) => frames.shown(viewer, text()));
    expect(shown.every((frame) => frame?.sum === 7)).toBe(true);
    expect(shown[39]?.sentAt).toEqual([1_000, 1_005, 1_007]);
    expect(read).toBe(1);
    expect(frames.repeated).toEqual([]);
  });

  it("count once for a viewer that receives one twice", () => {
    const frames = new SentFrames(2, wires.im.gifts);
    const text = roomFrame("m1", [{ orderIds: ["1000-a"], count: 1 }]);
    expect([frames.shown(0, text), frames.shown(0, text), frames.shown(1, text)].map(Boolean)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("are distinguished by their whole text", () => {
    const frames = new SentFrames(1, wires.im.gifts);
    const long = "m".repeat(100);
    expect(frames.shown(0, roomFrame(long, [{ orderIds: ["1-a"], count: 1 }]))?.sum).toBe(1);
    expect(frames.shown(0, roomFrame(long, [{ orderIds: ["1-b"], count: 2 }]))?.sum).toBe(2);
  });

  it("an order in a second frame is detected", () => {
    const frames = new SentFrames(2, wires.im.gifts);
    frames.shown(0, roomFrame("m1", [{ orderIds: ["1-a"], count: 1 }]));
    frames.shown(1, roomFrame("m2", [{ orderIds: ["1-a"], count: 1 }]));
    expect(frames.repeated).toEqual(["1-a"]);
  });

  it("without gifts have no gifts to count", () => {
    const frames = new SentFrames(1, wires.im.gifts);
    expect(frames.shown(0, roomFrame("m1", [], 5555))).toBeUndefined();
    expect(frames.shown(0, Buffer.from('{"code":1004,"body":{}}'))).toBeUndefined();
  });

  it("of Socket.IO are events with one gift each", () => {
    const frames = new SentFrames(1, wires.socketio.gifts);
    expect(frames.shown(0, event("1000-a", 3))).toMatchObject({ sum: 3, sentAt: [1_000] });
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
    expect([answer(Buffer.from("2")), answer(event("1-a", 1))]).toEqual(["3", undefined]);
  });
});
