import { limits } from "../../config/limits.ts";
import { Filling } from "../../mixins/filling.ts";
import { levelOf } from "../../mixins/jetstream/conditions.ts";

const { fillingFrom, nearlyFullFrom, notReadyFrom, fillingLoggedMs } = limits.stores;

let now = 0;
let lines: [level: string, text: string][] = [];
const line = (level: string) => (_about: object, text: string) => lines.push([level, text]);
const log = { info: line("info"), warn: line("warn"), error: line("error") };
let filling: Filling;
beforeEach(() => {
  now = 1_000_000;
  lines = [];
  filling = new Filling(log as never, () => now);
});

const see = (share: number) => filling.see("stream PAY", { share, text: `${share * 100} of 100 bytes` });
const seen = () => [filling.filling().length, filling.nearlyFull().length];

test("a store is reported from 70 % on, and its service is not ready from 95 % on, long before it refuses", () => {
  expect([fillingFrom, nearlyFullFrom, notReadyFrom]).toEqual([0.7, 0.9, 0.95]);
  for (const [share, reported] of [
    [0.69, [0, 0]],
    [0.7, [1, 0]],
    [0.94, [1, 0]],
    [0.95, [1, 1]],
    [1, [1, 1]],
    [0.5, [0, 0]],
  ] as const) {
    see(share);
    expect([share, seen()]).toEqual([share, reported]);
  }
  see(0.96);
  expect(filling.nearlyFull()).toEqual(["stream PAY is filled to 96 %: 96 of 100 bytes"]);
  expect([filling.nearlyFull("stream PAY"), filling.filling().length]).toEqual([[], 1]);
});

test("the log has a warning when it begins, an error when it gets worse, and then a line every ten minutes", () => {
  const levels = () => lines.splice(0).map(([level]) => level);
  see(0.6);
  expect(levels()).toEqual([]);
  see(0.71);
  see(0.8);
  expect(levels()).toEqual(["warn"]);
  see(0.91);
  see(0.92);
  see(0.89);
  expect(levels()).toEqual(["error"]);
  now += fillingLoggedMs;
  see(0.89);
  expect(levels()).toEqual(["warn"]);
  see(0.3);
  see(0.2);
  expect(levels()).toEqual(["info"]);
  see(0.95);
  expect(levels()).toEqual(["error"]);
});

test("a level is the bound that is used more; what drops its oldest messages is never full", () => {
  const stream = (discard: string, bytes: number, messages: number) =>
    levelOf({ config: { discard, max_bytes: 1_000, max_msgs: 10 }, state: { bytes, messages } } as never);
  expect(stream("new", 200, 9)).toMatchObject({ share: 0.9, text: "9 of 10 messages" });
  expect(stream("new", 950, 1)).toMatchObject({ share: 0.95, text: "950 of 1000 bytes" });
  expect(stream("old", 1_000, 10)).toBeUndefined();
  expect(
    levelOf({ config: { discard: "new", max_bytes: -1, max_msgs: -1 }, state: { bytes: 5, messages: 1 } } as never),
  ).toBeUndefined();
});
