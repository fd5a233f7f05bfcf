import { ConnectionRegistry } from "../../../services/im-server/connection-registry.ts";
import { Rooms } from "../../../services/im-server/rooms.ts";

const rooms = new Rooms({
  connections: new ConnectionRegistry(),
  fetchMissed: () => Promise.reject(new Error("not asked for")),
  onNewEpoch: () => undefined,
  onBattleState: () => undefined,
  sendBattle: () => undefined,
  log: { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() } as never,
});
const member = { roomId: 7, anchorId: "1" };
const frames = (from: number, to: number, epoch = "e") =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    seq: from + i,
    frame: JSON.stringify({ code: 1003, body: { at: `${epoch} ${from + i}` } }),
  }));
const texts = (kept: ReturnType<typeof frames>) => kept.map(({ frame }) => frame);

test("a frame of the history is made once for all who missed it, however many frames each of them missed", () => {
  const many = rooms.replay(member, "e", frames(5, 9));
  const few = rooms.replay(member, "e", frames(8, 10));
  expect(few.slice(0, 2)).toEqual(many.slice(3));
  expect(few[0]).toBe(many[3]);
  expect(few[0]?.wire("1")).toBe(many[3]?.wire("1"));
  expect(few[2]?.wire("1").toString("utf8", 2)).toBe(frames(10, 10)[0]?.frame);
});

test("frames of the same number in another epoch or room are others", () => {
  const [one] = rooms.replay(member, "e", frames(9, 9));
  const [newer] = rooms.replay(member, "f", frames(9, 9, "f"));
  const [elsewhere] = rooms.replay({ ...member, roomId: 8 }, "e", frames(9, 9, "8"));
  expect([one, newer, elsewhere].map((forms) => forms?.wire("1").toString("utf8", 2))).toEqual([
    ...texts(frames(9, 9)),
    ...texts(frames(9, 9, "f")),
    ...texts(frames(9, 9, "8")),
  ]);
});
