import fc from "fast-check";
import { RoomFeed, type RoomFrame } from "../../../services/im-server/room-feed.ts";

const frame = (seq: number, epoch = "e1"): RoomFrame => ({ seq, epoch, frame: `${epoch}:${seq}` });
const numbers = (frames: RoomFrame[]) => frames.map(({ epoch, seq }) => `${epoch}:${seq}`);
const kept = (...seqs: number[]) => seqs.map((seq) => ({ seq, frame: `text ${seq}` }));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

function startedAt(seq: number, heldMax = 100): RoomFeed {
  const feed = new RoomFeed(heldMax);
  feed.start({ epoch: "e1", seq });
  return feed;
}

test("frames that come before the room's position is known are held, and those up to the position are dropped", () => {
  const feed = new RoomFeed(100);
  for (const seq of [4, 5, 6]) expect(feed.offer(frame(seq)).send).toEqual([]);
  expect(numbers(feed.start({ epoch: "e1", seq: 5 }).send)).toEqual(["e1:6"]);
});

test("the start of a later member moves nothing, whether the room is followed or repaired", () => {
  const feed = startedAt(5);
  expect(feed.start({ epoch: "e1", seq: 7 })).toEqual({ send: [] });
  expect(numbers(feed.offer(frame(6)).send)).toEqual(["e1:6"]);
  expect(feed.offer(frame(9)).fetchAfter).toEqual({ epoch: "e1", seq: 6 });
  expect(feed.start({ epoch: "e1", seq: 9 })).toEqual({ send: [] });
  const missed = { epoch: "e1", seq: 9, complete: true, frames: kept(7, 8, 9) };
  expect(numbers(feed.repaired(missed).send)).toEqual(["e1:7", "e1:8", "e1:9"]);
});

test("the next frame is sent at once, a repeat never again", () => {
  const feed = startedAt(0);
  expect(numbers(feed.offer(frame(1)).send)).toEqual(["e1:1"]);
  expect(feed.offer(frame(1))).toEqual({ send: [] });
});

test("a frame that is not the next one is held for the missed ones, which are fetched once", () => {
  const feed = startedAt(3);
  expect(feed.offer(frame(6))).toEqual({ send: [], fetchAfter: { epoch: "e1", seq: 3 } });
  expect(feed.offer(frame(7))).toEqual({ send: [] });
  const missed = { epoch: "e1", seq: 6, complete: true, frames: kept(4, 5, 6) };
  expect(numbers(feed.repaired(missed).send)).toEqual(["e1:4", "e1:5", "e1:6", "e1:7"]);
  expect(feed.offer(frame(4)).send).toEqual([]);
});

test("numbers without a frame, which a newer frame replaced, are no gap", () => {
  const feed = startedAt(3);
  expect(feed.offer(frame(9)).fetchAfter).toEqual({ epoch: "e1", seq: 3 });
  const step = feed.repaired({ epoch: "e1", seq: 8, complete: true, frames: kept(4, 7) });
  expect([numbers(step.send), step.fetchAfter, step.lostUpTo]).toEqual([
    ["e1:4", "e1:7", "e1:9"],
    undefined,
    undefined,
  ]);
});

test("a new epoch is taken from its first frame on", () => {
  const feed = startedAt(9);
  expect(feed.offer(frame(2, "e2")).fetchAfter).toEqual({ epoch: "e1", seq: 9 });
  expect(numbers(feed.repaired({ epoch: "e2", seq: 2, complete: true, frames: kept(1, 2) }).send)).toEqual([
    "e2:1",
    "e2:2",
  ]);
  expect(numbers(feed.offer(frame(3, "e2")).send)).toEqual(["e2:3"]);
});

test("a late frame of an ended epoch is sent and moves nothing", () => {
  const feed = startedAt(9);
  feed.offer(frame(1, "e0"));
  expect(numbers(feed.repaired({ epoch: "e1", seq: 9, complete: true, frames: [] }).send)).toEqual(["e0:1"]);
  expect(numbers(feed.offer(frame(10)).send)).toEqual(["e1:10"]);
});

test("unkept frames, of a time without Redis, are sent at once and move nothing", () => {
  const feed = startedAt(3);
  expect(numbers(feed.offer(frame(70, "x1")).send)).toEqual(["x1:70"]);
  expect(numbers(feed.offer(frame(4)).send)).toEqual(["e1:4"]);
});

test.each([
  ["cannot be fetched", undefined],
  ["is not kept any more", { epoch: "e1", seq: 900, complete: false, frames: [] }],
])("where what was missed %s the held frames go out all the same, in order", (_what, missed) => {
  const feed = startedAt(0);
  for (const seq of [7, 6, 9]) feed.offer(frame(seq));
  const { send, lostUpTo } = feed.repaired(missed);
  expect(numbers(send)).toEqual(["e1:6", "e1:7", "e1:9"]);
  expect(lostUpTo).toEqual({ epoch: "e1", seq: 5 });
  expect(numbers(feed.offer(frame(10)).send)).toEqual(["e1:10"]);
});

test("nothing is lost where the held frames follow without a gap, or begin an epoch", () => {
  const follows = startedAt(3);
  follows.offer(frame(5));
  follows.offer(frame(4));
  expect(follows.repaired(undefined).lostUpTo).toBeUndefined();
  const begins = startedAt(3);
  begins.offer(frame(1, "e2"));
  begins.offer(frame(2, "e2"));
  expect(begins.repaired(undefined).lostUpTo).toBeUndefined();
  expect(numbers(begins.offer(frame(3, "e2")).send)).toEqual(["e2:3"]);
});

test.each([
  ["a gap among the held frames", [5, 7], { epoch: "e1", seq: 4 }],
  ["an epoch that is not held from its start", [3], { epoch: "e2", seq: 2 }],
])("%s is a loss", (_what, seqs, lostUpTo) => {
  const feed = startedAt(3);
  for (const seq of seqs) feed.offer(frame(seq, lostUpTo.epoch));
  expect(feed.repaired(undefined).lostUpTo).toEqual(lostUpTo);
});

test("a room that is further on than its history reaches back goes on from its position, and frames are lost", () => {
  const feed = startedAt(3);
  feed.behind({ epoch: "e1", seq: 900 });
  const missed = { epoch: "e1", seq: 900, complete: false, frames: [] };
  expect(feed.repaired(missed)).toEqual({ send: [], lostUpTo: { epoch: "e1", seq: 900 } });
  expect(numbers(feed.offer(frame(901)).send)).toEqual(["e1:901"]);
});

test("an answer that comes after the feed went on changes nothing", () => {
  const feed = startedAt(0, 2);
  for (const seq of [2, 3, 4]) feed.offer(frame(seq));
  expect(feed.repaired({ epoch: "e1", seq: 3, complete: true, frames: kept(1, 2, 3) }).send).toEqual([]);
  expect(numbers(feed.offer(frame(5)).send)).toEqual(["e1:5"]);
});

test("an epoch is new where it is neither the known one nor an unkept one", () => {
  const feed = new RoomFeed(10);
  expect(feed.isNewEpoch("e2")).toBe(false);
  feed.start({ epoch: "e1", seq: 0 });
  expect(["e1", "e2", "x1"].map((epoch) => feed.isNewEpoch(epoch))).toEqual([false, true, false]);
});

test("the frames held are bounded", () => {
  const feed = startedAt(0, 3);
  const sent = [2, 3, 4, 5].flatMap((seq) => feed.offer(frame(seq)).send);
  expect(numbers(sent)).toEqual(["e1:2", "e1:3", "e1:4", "e1:5"]);
});

test("a room that is further on than this node is fetched from the node's position", () => {
  const feed = startedAt(3);
  expect(feed.behind({ epoch: "e1", seq: 3 })).toBeUndefined();
  expect(feed.behind({ epoch: "e1", seq: 5 })).toEqual({ epoch: "e1", seq: 3 });
  expect(feed.behind({ epoch: "e1", seq: 5 })).toBeUndefined();
});

test("in whatever order frames come, with whatever losses and repeats, each is sent once and in its order", () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 80 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 0, max: 5 }), (seqs, delay) => {
      const feed = startedAt(0, 1_000);
      const sent: number[] = [];
      let numbered = 0;
      let waitingFor: { since: number; after: number } | undefined;
      const take = ({ send, fetchAfter }: ReturnType<RoomFeed["offer"]>) => {
        sent.push(...send.map(({ seq }) => seq));
        if (fetchAfter) waitingFor = { since: fetchAfter.seq, after: delay };
      };
      const answer = () => {
        while (waitingFor) {
          const { since } = waitingFor;
          waitingFor = undefined;
          const frames = kept(...range(since + 1, numbered));
          take(feed.repaired({ epoch: "e1", seq: numbered, complete: true, frames }));
        }
      };
      for (const seq of seqs) {
        numbered = Math.max(numbered, seq);
        take(feed.offer(frame(seq)));
        if (waitingFor && waitingFor.after-- <= 0) answer();
      }
      answer();
      expect(sent).toEqual(range(1, numbered));
    }),
  );
});
