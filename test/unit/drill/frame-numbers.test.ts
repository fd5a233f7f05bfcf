import { FrameNumbers } from "../../../drill/load/frame-numbers.ts";

/** Frames that a viewer missed without being told. */

const greeting = (seq: number, epoch = "e", recovered?: boolean) => ({ code: 1001, body: { seq, epoch, recovered } });
const frame = (seq?: number, epoch = "e") => ({ code: 1003, body: { data: seq === undefined ? {} : { seq, epoch } } });

const holesAfter = (...frames: ReturnType<typeof greeting | typeof frame>[]) => {
  const numbers = new FrameNumbers();
  for (const one of frames) numbers.take(one);
  return numbers.holes;
};

test("numbers that follow each other have no hole, repeats and frames without a number neither", () => {
  expect(holesAfter(greeting(3), frame(4), frame(4), frame(), frame(5), frame(4))).toBe(0);
});

test("a number that is passed over is a hole until it comes", () => {
  expect(holesAfter(greeting(3), frame(6))).toBe(2);
  expect(holesAfter(greeting(3), frame(6), frame(5), frame(4))).toBe(0);
});

test("the greeting of a return is no excuse, one that says that frames are lost is", () => {
  expect(holesAfter(greeting(3), frame(4), greeting(9), frame(10))).toBe(5);
  expect(holesAfter(greeting(3), frame(4), greeting(9), frame(5), frame(6), frame(7), frame(8), frame(9))).toBe(0);
  expect(holesAfter(greeting(3), frame(9), greeting(12, "e", false), frame(13))).toBe(0);
});

test("a new epoch begins a new count", () => {
  expect(holesAfter(greeting(30), frame(31), frame(1, "f"), frame(2, "f"))).toBe(0);
  expect(holesAfter(greeting(30), frame(31), frame(1, "f"), frame(3, "f"))).toBe(1);
});
