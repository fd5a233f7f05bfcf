import type { PubAck } from "nats";
import type { SeenStream } from "../../../mixins/jetstream/losses.ts";
import { SeenStreams } from "../../../mixins/jetstream/seen-streams.ts";

const seen = (lastSequence: number, over: Partial<SeenStream> = {}): SeenStream => ({
  ...{ created: "t1", mark: "", messages: 3, lastSequence },
  ...over,
});
const same = { is: "same" };
const ack = (seq: number) => ({ stream: "S", seq, duplicate: false }) as PubAck;

let streams: SeenStreams;
beforeEach(() => {
  streams = new SeenStreams();
  expect(streams.compare("S", seen(10))).toEqual(same);
});

test("a stream that ends too early is back in time once two checks agree, until that is believed", () => {
  expect(streams.compare("S", seen(5))).toEqual(same);
  const back = { is: "back", before: seen(10), lastSequence: 5, isMarked: false };
  expect(streams.compare("S", seen(7))).toEqual(back);
  // What was done about it failed.
  expect(streams.compare("S", seen(8))).toEqual(back);
  streams.believe("S", seen(8));
  expect(streams.compare("S", seen(8))).toEqual(same);
});

test("a leader that lagged at one check is no loss", () => {
  expect(streams.compare("S", seen(5))).toEqual(same);
  expect(streams.compare("S", seen(10))).toEqual(same);
  expect(streams.compare("S", seen(9))).toEqual(same);
});

test("another node's mark is believed at once; the older mark of the store that came back is not", () => {
  expect(streams.compare("S", seen(5, { mark: "b" }))).toMatchObject({ is: "back", isMarked: true });
  streams.believe("S", seen(20, { mark: "b" }));
  expect(streams.compare("S", seen(5, { mark: "a" }))).toEqual(same);
  expect(streams.compare("S", seen(5, { mark: "a" }))).toMatchObject({ is: "back", isMarked: false });
});

test("a stream of another creation time is another one, wherever it ends", () => {
  const finding = streams.compare("S", seen(2, { created: "t2" }));
  expect(finding).toEqual({ is: "another", before: seen(10) });
  expect(streams.compare("S", seen(2, { created: "t2" }))).toEqual(same);
});

test("an ack below what was seen is nobody's, until the stream is known to be back", () => {
  expect([ack(11), ack(6)].map(streams.whoAcks())).toEqual(["t1", ""]);
  streams.believe("S", seen(5));
  expect(streams.whoAcks()(ack(6))).toBe("t1");
});
