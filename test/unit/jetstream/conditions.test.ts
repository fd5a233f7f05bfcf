import { limits } from "../../../config/limits.ts";
import { Conditions, doneBy } from "../../../mixins/jetstream/conditions.ts";

const { stuckMs, lookLateMs, refusalReportedMs, lossReportedMs } = limits.jetstream;

let now = 0;
let conditions: Conditions;
beforeEach(() => {
  now = 1_000_000;
  conditions = new Conditions(() => now);
});

/** Checks every second for this long; `see` is the result of a check. */
function look(forMs: number, see: () => void = () => {}): void {
  for (const until = now + forMs; now < until; now += 1_000) {
    see();
    conditions.looked();
  }
}

test("there is no problem at the start, and while every check succeeds", () => {
  expect(conditions.reasons()).toEqual([]);
  look(lookLateMs * 2);
  expect(conditions.reasons()).toEqual([]);
});

test("streams that were not checked for a while are reported with the error of the last check, until the next one", () => {
  conditions.lookFailed(new Error("TIMEOUT"));
  now += lookLateMs - 1;
  expect(conditions.reasons()).toEqual([]);
  now += 1;
  expect(conditions.reasons()).toEqual([`the streams were last checked ${lookLateMs / 1_000} s ago: TIMEOUT`]);
  conditions.looked();
  expect(conditions.reasons()).toEqual([]);
});

describe("a consumer", () => {
  test("for which messages wait and none is done for a minute is stuck, until one is done", () => {
    look(stuckMs - 1_000, () => conditions.atWork("settler", 12, 5));
    expect(conditions.reasons()).toEqual([]);
    look(2_000, () => conditions.atWork("settler", 13, 5));
    expect(conditions.reasons()).toEqual([expect.stringMatching(/^settler: 13 wait, none was handled for 6\d s$/)]);
    conditions.atWork("settler", 12, 6);
    expect(conditions.reasons()).toEqual([]);
  });

  test("that is idle is not stuck, and one that gets work after a pause has a minute for it", () => {
    look(stuckMs * 3, () => conditions.atWork("settler", 0, 5));
    expect(conditions.reasons()).toEqual([]);
    look(stuckMs - 1_000, () => conditions.atWork("settler", 1, 5));
    expect(conditions.reasons()).toEqual([]);
  });
});

test("a refusal for want of room is reported until a publication is taken, or for a while", () => {
  conditions.refused("GIFTS-1", "insufficient resources");
  conditions.refused("PAY", "insufficient resources");
  expect(conditions.reasons()).toHaveLength(2);
  conditions.accepted("PAY");
  expect(conditions.reasons()).toEqual(["stream GIFTS-1 refuses messages: insufficient resources"]);
  look(refusalReportedMs);
  expect(conditions.reasons()).toEqual([]);
});

test("what is missing and what is full is reported until it is not, what was lost for a while", () => {
  conditions.isMissing("stream PAY", "it cannot be made: TIMEOUT");
  conditions.bounds("GIFTS-1", "it holds 10 messages");
  conditions.lost("7 messages were lost");
  expect(conditions.reasons()).toEqual([
    "stream PAY is missing: it cannot be made: TIMEOUT",
    "stream GIFTS-1 is full: it holds 10 messages",
    "7 messages were lost",
  ]);
  expect(conditions.reasons("GIFTS-1")).toHaveLength(2);
  conditions.isThere("stream PAY");
  conditions.bounds("GIFTS-1", undefined);
  expect(conditions.reasons()).toEqual(["7 messages were lost"]);
  look(lossReportedMs);
  expect(conditions.reasons()).toEqual([]);
});

test("of a log each distinct ack counts as done, also behind a message that is tried again for ever; a delivery does not", () => {
  const at = (floor: number, delivered: number, pending: number) =>
    doneBy("log", {} as never, {
      ack_floor: { stream_seq: floor, consumer_seq: floor, last_active: 0 },
      delivered: { stream_seq: delivered, consumer_seq: delivered, last_active: 0 },
      num_ack_pending: pending,
    });
  expect(at(4, 20, 16)).toBe(at(4, 30, 26));
  expect(at(4, 30, 25)).toBeGreaterThan(at(4, 30, 26));
});
