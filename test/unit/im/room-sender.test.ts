import { limits } from "../../../config/limits.ts";
import type { FramesByNode } from "../../../services/im-router/node-calls.ts";
import { RoomSender } from "../../../services/im-router/room-sender.ts";

const gift = (orderId: string) => ({
  orderId,
  senderId: "5",
  receiverId: "1",
  giftId: 3,
  count: 1,
  price: 10,
  url: "",
});

function sender() {
  const delivered: FramesByNode[] = [];
  let seq = 0;
  const number = (frames: { roomId: number }[]) =>
    frames.map(({ roomId }) => ({ roomId, seq: ++seq, epoch: "e", frame: "f", nodes: ["n1"] }));
  const numbers = {
    number: jest.fn(async (frames: { roomId: number }[]) => number(frames)),
    numberAlone: jest.fn((frames: { roomId: number }[]) =>
      number(frames).map((frame) => ({ ...frame, nodes: undefined })),
    ),
  };
  const takes = Promise.withResolvers<number>();
  const nodes = {
    live: async () => ["n1", "n2"],
    deliver: (byNode: FramesByNode) => {
      delivered.push(byNode);
      return takes.promise;
    },
  };
  const log = { error: jest.fn(), info: jest.fn(), warn: jest.fn() };
  const rooms = new RoomSender(numbers as never, nodes as never, log as never);
  const send = (...orderIds: string[]) => sendAll(orderIds);
  const sendAll = (orderIds: string[]) => rooms.send((tick) => tick.addGifts({ roomId: 1, gifts: orderIds.map(gift) }));
  return { rooms, send, sendAll, delivered, numbers, log, takes };
}

test("callers of a tick go on only once its frames were handed to the nodes", async () => {
  const { rooms, send, delivered, takes } = sender();
  let gone = 0;
  const callers = [send("a"), send("b")].map((sent) => sent.then(() => gone++));
  const flushed = rooms.flush();
  await new Promise((resolve) => setImmediate(resolve));
  expect([delivered.length, gone]).toEqual([1, 0]);
  takes.resolve(1);
  await Promise.all(callers);
  await flushed;
  expect(gone).toBe(2);
});

test("what comes after a pause goes out at once, and what follows at most once a tick", async () => {
  jest.useFakeTimers();
  const { send, delivered, takes } = sender();
  takes.resolve(1);
  const { roomTickMs, roomTickLeadMs } = limits.im;
  const sent: Promise<void>[] = [];
  const after = async (ms: number) => {
    await jest.advanceTimersByTimeAsync(ms);
    return delivered.length;
  };
  sent.push(send("a"));
  expect([await after(roomTickLeadMs - 1), await after(1)]).toEqual([0, 1]);
  sent.push(send("b"), send("c"));
  expect([await after(roomTickMs - 1), await after(1)]).toEqual([1, 2]);
  await after(3 * roomTickMs);
  sent.push(send("d"));
  expect([await after(roomTickLeadMs - 1), await after(1)]).toEqual([2, 3]);
  jest.useRealTimers();
  await Promise.all(sent);
});

test("a node gets a frame and its number, not the list of nodes", async () => {
  const { rooms, send, delivered, takes } = sender();
  takes.resolve(1);
  const sent = send("a");
  await rooms.flush();
  await sent;
  expect(delivered[0]?.get("n1")).toEqual([{ roomId: 1, seq: 1, epoch: "e", frame: "f" }]);
});

test("without Redis frames go to every live node, that is logged once, and Redis is not asked for a while", async () => {
  const { rooms, send, delivered, numbers, log, takes } = sender();
  takes.resolve(1);
  numbers.number.mockRejectedValue(new Error("Connection is closed."));
  for (const order of ["a", "b"]) {
    const sent = send(order);
    await rooms.flush();
    await sent;
  }
  expect(delivered.map((byNode) => [...byNode.keys()])).toEqual([
    ["n1", "n2"],
    ["n1", "n2"],
  ]);
  expect(numbers.number).toHaveBeenCalledTimes(1);
  expect(log.error).toHaveBeenCalledTimes(1);
});

test("more than may wait is refused as unavailable, and room is made as ticks are handed over", async () => {
  const { rooms, send, sendAll, takes } = sender();
  const many = sendAll(Array.from({ length: limits.im.pendingRoomGifts }, (_, i) => `o${i}`));
  await expect(send("one more")).rejects.toMatchObject({ type: "unavailable" });
  takes.resolve(1);
  await rooms.flush();
  await many;
  const next = send("one more");
  await rooms.flush();
  await next;
});

test("a burst of a room goes out over several ticks, another room meanwhile at once, and its caller waits for all of it", async () => {
  jest.useFakeTimers();
  const { rooms, delivered, takes } = sender();
  takes.resolve(1);
  const { roomTickMs, roomTickLeadMs, roomTickBytes } = limits.im;
  const long = (n: number) => ({ ...gift(`o${n}`), senderId: String(n + 1), url: "礼".repeat(300) });
  const count = Math.ceil((2.5 * roomTickBytes) / 1_000);
  let gone = false;
  const burst = rooms
    .send((tick) => tick.addGifts({ roomId: 1, gifts: Array.from({ length: count }, (_, n) => long(n)) }))
    .then(() => {
      gone = true;
    });
  const roomsOf = (tick: number) =>
    new Set(delivered[tick]?.get("n1")?.map((frame) => "roomId" in frame && frame.roomId));
  await jest.advanceTimersByTimeAsync(roomTickLeadMs);
  expect([delivered.length, gone]).toEqual([1, false]);
  const other = rooms.send((tick) => tick.addGifts({ roomId: 2, gifts: [gift("other")] }));
  await jest.advanceTimersByTimeAsync(roomTickMs);
  await other;
  expect(gone).toBe(false);
  expect([roomsOf(0), roomsOf(1)]).toEqual([new Set([1]), new Set([1, 2])]);
  await jest.advanceTimersByTimeAsync(3 * roomTickMs);
  await burst;
  expect(delivered.length).toBeGreaterThanOrEqual(3);
  jest.useRealTimers();
});

describe("a flood of chat in one room", () => {
  const { roomTickMs, roomTickLeadMs, roomTickBytes, roomChatBytes } = limits.im;
  const line = "礼".repeat(500);
  let lines = 0;

  /** A router whose nodes take everything, and what they were handed. */
  function router() {
    const { rooms, delivered, takes, log, numbers } = sender();
    takes.resolve(1);
    numbers.number.mockImplementation(async (frames) =>
      frames.map((frame, i) => {
        const { head, tail } = frame as unknown as { head: string; tail: string };
        return { roomId: frame.roomId, seq: i, epoch: "e", frame: `${head}"seq":${i}${tail}`, nodes: ["n1"] };
      }),
    );
    let refused = 0;
    const chat = (roomId: number, content = line) => {
      const msgId = `m${++lines}`;
      return rooms
        .send((tick) => tick.addMessage(roomId, { msgId, userId: "7", bizCode: 5555, data: { content } }))
        .then(
          () => true,
          (error) => {
            expect(error).toMatchObject({ type: "tooMany" });
            refused++;
            return false;
          },
        );
    };
    const gifts = (roomId: number, ...orderIds: string[]) =>
      rooms.send((tick) => tick.addGifts({ roomId, gifts: orderIds.map(gift) }));
    const bodies = (roomId: number) =>
      delivered
        .flatMap((byNode) => (byNode.get("n1") ?? []) as { roomId: number; frame: string }[])
        .filter((frame) => frame.roomId === roomId)
        .map(({ frame }) => JSON.parse(frame).body);
    return { rooms, delivered, chat, gifts, bodies, log, refused: () => refused };
  }

  test("holds up no gift, in whatever room: none is lost, and each room keeps its order", async () => {
    jest.useFakeTimers();
    try {
      const { chat, gifts, bodies } = router();
      const first = lines;
      const flood = Array.from({ length: 5_000 }, () => chat(1));
      await jest.advanceTimersByTimeAsync(roomTickLeadMs);
      const waits: number[] = [];
      const others: Promise<unknown>[] = [];
      for (let n = 0; n < 40; n++) {
        for (let more = 0; more < 500; more++) flood.push(chat(1));
        const startedAt = performance.now();
        for (const roomId of [1, 2])
          others.push(gifts(roomId, `${roomId}-${n}`).then(() => waits.push(performance.now() - startedAt)));
        others.push(chat(3, `line ${n}`).then((sent) => expect(sent).toBe(true)));
        await jest.advanceTimersByTimeAsync(roomTickMs);
      }
      await jest.advanceTimersByTimeAsync(5 * roomTickMs);
      expect(waits).toHaveLength(80);
      await Promise.all(others);
      expect(Math.max(...waits)).toBeLessThanOrEqual(500);
      for (const roomId of [1, 2]) {
        const orders = bodies(roomId).flatMap(({ data }) => data.gifts ?? []);
        expect(orders.map(({ orderIds, count }) => [orderIds, count])).toEqual(
          Array.from({ length: 40 }, (_, n) => [[`${roomId}-${n}`], 1]),
        );
      }
      const sent = (await Promise.all(flood)).flatMap((passed, n) => (passed ? [n] : []));
      const shown = bodies(1).filter(({ bizCode }) => bizCode === 5555);
      // Each line that was sent, and none that was refused: their ids count up, those of room 3 between them.
      expect(shown).toHaveLength(sent.length);
      const numbers = shown.map(({ msgId }) => Number(msgId.slice(1)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(numbers[0]).toBe(first + 1);
      expect(bodies(3).map(({ data }) => data.content)).toEqual(Array.from({ length: 40 }, (_, n) => `line ${n}`));
    } finally {
      jest.useRealTimers();
    }
  });

  test("is refused beyond two ticks of the room, which is logged once, and taken again as it goes out", async () => {
    const { rooms, chat, gifts, delivered, log, refused, bodies } = router();
    const many = 2 * Math.ceil(roomChatBytes / 1_500);
    const flood = Array.from({ length: many }, () => chat(1));
    await new Promise((resolve) => setImmediate(resolve));
    const taken = many - refused();
    expect(taken * 1_500).toBeLessThanOrEqual(roomChatBytes);
    expect(taken * 1_800).toBeGreaterThan(roomChatBytes);
    expect(log.warn).toHaveBeenCalledTimes(1);
    // Neither gifts nor messages of the system are refused.
    const others = [
      gifts(1, "gift"),
      chat(2),
      rooms.send((tick) => tick.addMessage(1, { msgId: "s", userId: "0", bizCode: 5562, data: {} })),
    ];
    await rooms.flush();
    await Promise.all([...flood, ...others]);
    expect(delivered.length).toBeLessThanOrEqual(1 + Math.ceil(roomChatBytes / roomTickBytes));
    expect(bodies(1)).toHaveLength(taken + 2);
    const again = chat(1);
    await rooms.flush();
    expect(await again).toBe(true);
  });
});

const battle = (score: number) => ({
  battleId: "7",
  roomIds: [1],
  scores: [{ userId: "1", score }],
  endTime: "2026-11-26T16:00:00.000Z",
  remainingMs: 1_000,
});
const scoresOf = (numbered: { mock: { calls: [frames: { tail?: string }[]][] } }) =>
  numbered.mock.calls.map(([frames]) => frames.map(({ tail }) => JSON.parse(`{"a":1${tail?.slice(0, -2)}`).scores));

test("a tick has one frame of scores with the newest, and what follows comes in the next tick", async () => {
  jest.useFakeTimers();
  const { rooms, send, numbers, takes } = sender();
  takes.resolve(1);
  const { roomTickMs, roomTickLeadMs } = limits.im;
  for (const score of [1, 2, 3]) rooms.sendScores([battle(score)]);
  await jest.advanceTimersByTimeAsync(roomTickLeadMs);
  const sent = send("a");
  for (const score of [4, 5]) rooms.sendScores([battle(score)]);
  await jest.advanceTimersByTimeAsync(roomTickMs);
  await sent;
  jest.useRealTimers();
  const score = (value: number) => [{ userId: "1", score: value }];
  expect(scoresOf(numbers.number as never)).toEqual([[score(3)], [undefined, score(5)]]);
});

test("who brings scores is told when the tick ends that sends them: after a pause soon, and otherwise a tick after the last one", async () => {
  jest.useFakeTimers();
  const { rooms, numbers, takes } = sender();
  takes.resolve(1);
  const { roomTickMs, roomTickLeadMs } = limits.im;
  expect(rooms.sendScores([battle(1)])).toBe(roomTickLeadMs);
  await jest.advanceTimersByTimeAsync(roomTickLeadMs - 1);
  expect(numbers.number).not.toHaveBeenCalled();
  expect(rooms.sendScores([battle(2)])).toBe(1);
  await jest.advanceTimersByTimeAsync(1);
  expect(numbers.number).toHaveBeenCalledTimes(1);
  await jest.advanceTimersByTimeAsync(30);
  expect(rooms.sendScores([battle(3)])).toBe(roomTickMs - 30);
  await jest.advanceTimersByTimeAsync(roomTickMs - 30);
  expect(numbers.number).toHaveBeenCalledTimes(2);
  jest.useRealTimers();
});

test("a thousand gifts and score changes in a tick are two frames for their room", async () => {
  const { rooms, sendAll, numbers, takes } = sender();
  takes.resolve(1);
  const sent = Array.from({ length: 1_000 }, (_, i) => {
    rooms.sendScores([battle(i)]);
    return sendAll([`o${i % 500}`]);
  });
  await rooms.flush();
  await Promise.all(sent);
  expect(numbers.number.mock.calls.map(([frames]) => frames.length)).toEqual([2]);
});

test("scores that cannot be sent fail nobody", async () => {
  const { rooms, numbers, takes } = sender();
  takes.reject(new Error("no node"));
  rooms.sendScores([battle(1)]);
  await rooms.flush();
  expect(numbers.number).toHaveBeenCalledTimes(1);
});
