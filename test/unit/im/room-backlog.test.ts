import fc from "fast-check";
import { type Lane, RoomBacklog } from "../../../services/im-router/room-backlog.ts";

interface Frame {
  roomId: number;
  bytes: number;
  share: { lane: Lane };
}

function ticksOf(backlog: RoomBacklog<Frame>, bytesPerRoom: number): Frame[][] {
  const ticks: Frame[][] = [];
  while (!backlog.empty) ticks.push(backlog.take(bytesPerRoom));
  return ticks;
}

const rooms = [1, 2, 3, 4];
const frame = fc.record({
  roomId: fc.constantFrom(...rooms),
  bytes: fc.integer({ min: 1, max: 120 }),
  share: fc.constantFrom<{ lane: Lane }>({ lane: "first" }, { lane: "chat" }),
});
const sum = (frames: readonly Frame[]) => frames.reduce((bytes, one) => bytes + one.bytes, 0);

test("of each room so many bytes go out in a tick, each lane in its order; the rest follows, and no other room waits", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 60 }), fc.integer({ min: 1, max: 400 }), (frames, bytes) => {
      const backlog = new RoomBacklog<Frame>();
      backlog.add(frames);
      const ticks = ticksOf(backlog, bytes);
      for (const roomId of rooms) {
        const own = (some: readonly Frame[]) => some.filter((one) => one.roomId === roomId);
        for (const lane of ["first", "chat"]) {
          const ofLane = (some: readonly Frame[]) => own(some).filter(({ share }) => share.lane === lane);
          expect(ticks.flatMap(ofLane)).toEqual(ofLane(frames));
        }
        // Once it is done it is done: no tick without the room before one with it.
        const sizes = ticks.map((tick) => own(tick).length);
        expect(sizes.filter(Boolean)).toEqual(sizes.slice(0, sizes.filter(Boolean).length));
        for (const tick of ticks) if (own(tick).length > 1) expect(sum(own(tick))).toBeLessThanOrEqual(bytes);
      }
    }),
  );
});

test("what fits into one tick goes out in the order in which it came, chat or not", () => {
  const backlog = new RoomBacklog<Frame>();
  const frames = (["chat", "first", "chat", "first"] as const).map((lane) => ({
    roomId: 1,
    bytes: 10,
    share: { lane },
  }));
  backlog.add(frames);
  expect(backlog.take(40)).toEqual(frames);
  expect(backlog.empty).toBe(true);
});

test("gifts go before the chat that waits in their room", () => {
  const backlog = new RoomBacklog<Frame>();
  const chat = Array.from({ length: 10 }, () => ({ roomId: 1, bytes: 10, share: { lane: "chat" as const } }));
  backlog.add(chat);
  backlog.take(20);
  const gift = { roomId: 1, bytes: 10, share: { lane: "first" as const } };
  backlog.add([gift]);
  expect(backlog.take(20)).toEqual([chat[2], gift]);
});

test("20,000 frames that wait cost a tick no more than the frames that go out in it", () => {
  let looks = 0;
  const measured = (roomId: number, lane: Lane): Frame => ({
    roomId,
    share: { lane },
    get bytes() {
      looks++;
      return 100;
    },
  });
  const backlog = new RoomBacklog<Frame>();
  const lanes = ["first", "chat"] as const;
  backlog.add(Array.from({ length: 20_000 }, (_, n) => measured(1 + (n % 5), lanes[n % 2] as Lane)));
  let out = 0;
  while (!backlog.empty) {
    looks = 0;
    const tick = backlog.take(1_000);
    out += tick.length;
    // Of each lane of the five rooms the first frame that does not fit is read as well.
    expect(looks).toBeLessThanOrEqual(tick.length + 10);
    // A trickle does not change that.
    if (out < 10_000) backlog.add([measured(1, "chat")]);
  }
  expect(out).toBeGreaterThanOrEqual(20_000);
});
