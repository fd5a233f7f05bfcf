import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { expectTook, expectWithin } from "../../support/in-time.ts";

/** Processes whose standard output or log file is of no use: they work on and end as they should. */
jest.setTimeout(30_000);

const urlOf = (path: string) => JSON.stringify(pathToFileURL(join(projectRoot(), path)).href);
const prelude = `import { printError, endProcess, outputTo, printLine } from ${urlOf("broker/outputs.ts")};`;
/** Works for half a second, tells how long the event loop stood still at the most, and ends. */
const works = `
  let last = Date.now(); let worst = 0; let rounds = 0;
  setInterval(() => {
    for (let n = 0; n < 500; n++) outputTo(process.env.LOG).write("x".repeat(1000) + "\\n");
    worst = Math.max(worst, Date.now() - last); last = Date.now();
    if (++rounds === 50) { printError("worst " + worst); void endProcess(0); }
  }, 10);`;

let dir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-outputs-"));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

function start(script: string, stdout: number | "pipe", env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${prelude}\n${script}`], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", stdout, "pipe"],
  });
  children.push(child);
  let errors = "";
  child.stderr?.on("data", (data) => (errors += String(data)));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, errors }));
  return { child, ended };
}

/** A pipe that is full and stays so: both ends are open here, and nobody reads. A write to it waits for ever. */
function fullPipe(): number {
  const fifo = join(dir, "full");
  execFileSync("mkfifo", [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
  }
  const blocking = openSync(fifo, "r+");
  closeSync(fd);
  return blocking;
}

const worstOf = (errors: string) => Number(/worst (\d+)/.exec(errors)?.[1]);

test("standard output that nobody reads delays neither the work nor the end of the process", async () => {
  const { ended } = start(works, fullPipe());
  const { code, signal, errors } = await ended;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(errors).toMatch(/standard output accepts no lines \(nobody reads it\)/);
  expectTook("the longest delay of the work", 5_000, worstOf(errors));
});

test("standard output whose reader has gone is no end of the work", async () => {
  const { child, ended } = start(works, "pipe");
  child.stdout?.destroy();
  const { code, signal, errors } = await ended;
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(errors.match(/standard output cannot be written \(EPIPE/g)).toHaveLength(1);
});

test("a log file on a full disk is reported once on standard error, and the work goes on", async () => {
  const { ended } = start(works, "pipe", { LOG: "/dev/full" });
  const { code, errors } = await ended;
  expect(code).toBe(0);
  expect(errors.match(/\/dev\/full cannot be written \(ENOSPC/g)).toHaveLength(1);
  expect(errors).toMatch(/lines for \/dev\/full are lost at the end/);
});

test("where standard error cannot be written either, the process works on", async () => {
  const full = fullPipe();
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${prelude}\n${works}`], {
    env: { ...process.env, NODE_OPTIONS: "", LOG: "/dev/full" },
    stdio: ["ignore", full, full],
  });
  children.push(child);
  expect(await once(child, "close")).toEqual([0, null]);
});

test("what was written before the end is in the file, in order, also where the end comes at once", async () => {
  const file = join(dir, "out");
  const fd = openSync(file, "w");
  const script = `for (let n = 1; n <= 3000; n++) printLine(String(n).padEnd(100)); process.exit(3);`;
  const { code } = await start(script, fd).ended;
  expect(code).toBe(3);
  const numbers = readFileSync(file, "utf8").trimEnd().split("\n").map(Number);
  expect(numbers).toEqual(Array.from({ length: 3000 }, (_, n) => n + 1));
});

test.each([
  ["that waits for its lines", "void endProcess(0);"],
  [
    "by an error that nobody caught",
    `setTimeout(() => { outputTo(log).writeNow("last word\\n"); process.exit(1); }, ${2 * limits.log.flushAtExitMs});`,
  ],
])("a disk that does not let go of a write cannot keep the process from an end %s", async (_, end) => {
  const fifo = join(dir, "never");
  execFileSync("mkfifo", [fifo]);
  const log = join(dir, "log");
  // The one thread that files are written in waits for something that never comes.
  const script = `import { openSync, read } from "node:fs";
    read(openSync(${JSON.stringify(fifo)}, "r+"), Buffer.alloc(1), () => {});
    const log = ${JSON.stringify(log)};
    outputTo(log).writeNow("line\\n");
    ${end}`;
  const begun = performance.now();
  const { signal } = await start(script, "pipe", { UV_THREADPOOL_SIZE: "1" }).ended;
  expect(signal).toBe("SIGKILL");
  expectWithin("the end of the process", 10_000, begun);
  // A disk that hangs would hold up whoever writes to it.
  expect(existsSync(log)).toBe(false);
});

test("a write that has just begun is not taken for one that hangs while another output takes the last half second", async () => {
  const log = join(dir, "log");
  const script = `outputTo(${JSON.stringify(log)}).writeNow("line\\n"); printLine("nobody reads this"); process.exit(3);`;
  const { code, signal } = await start(script, fullPipe()).ended;
  expect({ code, signal }).toEqual({ code: 3, signal: null });
  expect(readFileSync(log, "utf8")).toBe("line\n");
});
