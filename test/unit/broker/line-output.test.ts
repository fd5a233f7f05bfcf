import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTarget, openTargetSync } from "../../../broker/descriptor.ts";
import { LineOutput } from "../../../broker/line-output.ts";
import { LineQueue } from "../../../broker/line-queue.ts";
import { limits } from "../../../config/limits.ts";
import { eventually } from "../../support/eventually.ts";
import { expectWithin } from "../../support/in-time.ts";

const { waitingBytes } = limits.log;

let dir: string;
let outputs: LineOutput[];
let complaints: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-output-"));
  outputs = [];
  complaints = [];
});

afterEach(() => {
  for (const output of outputs) output.close();
  rmSync(dir, { recursive: true, force: true });
});

function outputTo(file: string): LineOutput {
  const output = new LineOutput({ file }, (sentence) => complaints.push(sentence));
  outputs.push(output);
  return output;
}

/** Numbered lines of a kilobyte, `count` of them. */
function writeMany(output: LineOutput, count: number): void {
  for (let n = 1; n <= count; n++) output.write(`${String(n).padEnd(1023, ".")}\n`);
}

const numbersOf = (lines: readonly string[]) => lines.map((line) => Number.parseInt(line, 10));
const linesOf = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n");

test("lines reach a file in their order, its folder is made", async () => {
  const file = join(dir, "new", "folder", "log");
  const output = outputTo(file);
  writeMany(output, 500);
  await output.flushed(5_000);
  expect(numbersOf(linesOf(file))).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  expect(complaints).toEqual([]);
});

test.each(["a thread of its own", "the end of the process"])(
  "a new log file is for its owner and group alone, and so is its folder, opened by %s",
  async (by) => {
    const former = process.umask(0);
    try {
      const file = join(dir, "new", "folder", "log");
      const target = { file };
      if (by === "the end of the process") closeSync(openTargetSync(target).fd);
      else
        await new Promise<void>((resolve, reject) =>
          openTarget(target, (error, opened) => {
            if (opened) closeSync(opened.fd);
            if (error) reject(error);
            else resolve();
          }),
        );
      const modes = [file, join(dir, "new", "folder"), join(dir, "new")].map((path) => statSync(path).mode & 0o777);
      expect(modes).toEqual([0o640, 0o750, 0o750]);
    } finally {
      process.umask(former);
    }
  },
);

test("a full disk costs no more than the bounded memory, is complained of once, and every further line is counted", async () => {
  const output = outputTo("/dev/full");
  let lost = 0;
  output.onLoss((lines) => {
    lost += lines;
  });
  writeMany(output, 1);
  await output.flushed(5_000);
  writeMany(output, 10_000);
  expect(lost).toBe(10_001 - waitingBytes / 1024);
  expect(complaints).toEqual([
    expect.stringMatching(/^\/dev\/full cannot be written .*ENOSPC.* the node keeps working$/),
  ]);
  const begun = performance.now();
  output.flushSync(Date.now() + 20_000);
  expectWithin("the end of the writing", 5_000, begun);
  expect(complaints[1]).toMatch(/4097 lines for \/dev\/full are lost at the end: ENOSPC/);
});

test("once a folder can be made the waiting lines are written, and one states how many are missing since when", async () => {
  const obstacle = join(dir, "logs");
  writeFileSync(obstacle, "a file where the folder belongs");
  const file = join(obstacle, "log");
  const output = outputTo(file);
  output.write("0\n");
  await output.flushed(5_000);
  writeMany(output, 5_000);
  expect(complaints).toHaveLength(1);
  const since = new Date().toISOString().slice(0, 13);
  rmSync(obstacle);
  mkdirSync(obstacle);
  await eventually("the file is written again", () => complaints.length === 2, 10_000);
  await output.flushed(5_000);
  output.write("after\n");
  await output.flushed(5_000);
  const lines = linesOf(file);
  expect(numbersOf(lines.slice(0, 4096))).toEqual(Array.from({ length: 4096 }, (_, n) => n));
  expect(lines[4096]).toMatch(new RegExp(`^\\[905 lines are missing here, dropped since ${since}.*: E(NOTDIR|EXIST)`));
  expect(lines.slice(4097)).toEqual(["after"]);
  expect(complaints[1]).toBe(`${file} can be written again`);
});

test("a FIFO without a reader holds up nothing, and gets its lines when somebody reads it", async () => {
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  const output = outputTo(fifo);
  output.write("first\n");
  await output.flushed(5_000);
  expect(complaints).toEqual([expect.stringContaining("ENXIO")]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  await eventually("the line has gone out", () => complaints.length === 2, 10_000);
  expect(readText(reader)).toBe("first\n");
});

test("a FIFO that nobody reads is filled; the rest waits, more is dropped, and the number of dropped lines is written later", async () => {
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = outputTo(fifo);
  writeMany(output, 1);
  await output.flushed(5_000);
  const begun = performance.now();
  writeMany(output, 6_000);
  expectWithin("6,000 lines", 2_000, begun);
  expect(complaints).toEqual([expect.stringContaining("nobody reads it")]);
  let text = "";
  const read = () => {
    text += readText(reader);
    return text.includes("lines are missing");
  };
  await eventually("the gap is told", read, 20_000);
  const missing = Number(/\[(\d+) lines are missing here.*nobody reads it\]/.exec(text)?.[1]);
  expect(text.split("\n").length - 2 + missing).toBe(6_001);
});

test("lines that are longer than the memory are dropped, shorter ones go on", () => {
  const queue = new LineQueue();
  const gap = ({ lines }: { lines: number }) => `${lines} missing`;
  expect(queue.add(`${"x".repeat(waitingBytes)}\n`, "too long", gap)).toBe(false);
  expect(queue.add("short\n", "", gap)).toBe(true);
  expect(String(queue.chunk())).toBe("1 missing\nshort\n");
  queue.took(12);
  expect(String(queue.chunk())).toBe("ort\n");
  queue.took(4);
  expect([queue.bytes, queue.lines, queue.chunk()]).toEqual([0, 0, undefined]);
});

test("characters are counted as the bytes that they are", () => {
  const queue = new LineQueue();
  const line = `${"礼".repeat(1_000)}\n`;
  let taken = 0;
  while (queue.add(line, "", () => "")) taken++;
  expect(taken).toBe(Math.floor(waitingBytes / 3_001));
});

function readText(fd: number): string {
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    return buffer.toString("utf8", 0, readSync(fd, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return "";
    throw error;
  }
}
