import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { type Child, startChild } from "../../scripts/children.ts";

let dir: string;
let children: Child[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-children-"));
  children = [];
});

afterEach(async () => {
  await Promise.all(children.map((child) => child.stop(0)));
  rmSync(dir, { recursive: true, force: true });
});

function start(script: string, more: { ready?: RegExp; readyDeadlineMs?: number; env?: Record<string, string> } = {}) {
  const child = startChild({
    name: "sample",
    command: process.execPath,
    args: ["-e", script],
    cwd: dir,
    output: { file: join(dir, "logs", "sample.log") },
    ...more,
  });
  children.push(child);
  return child;
}

const log = () => readFileSync(join(dir, "logs", "sample.log"), "utf8");

test("the ready line gives its match, and the output is in the file once the child has ended", async () => {
  const child = start(
    `process.on("SIGTERM", () => { console.log("bye"); process.exit(3); }); setInterval(() => {}, 1000);
     console.log("hello"); console.error("port " + process.env.SAMPLE);`,
    { ready: /^port (\d+)$/, env: { SAMPLE: "4711" } },
  );
  expect((await child.ready)?.[1]).toBe("4711");
  expect(child.pid).toBeGreaterThan(0);
  await expect(child.stop(10_000)).resolves.toEqual({ code: 3, signal: null });
  expect(log().split("\n").sort()).toEqual(["", "bye", "hello", "port 4711"]);
});

test("the error of a child that dies before it is ready has its last twenty lines", async () => {
  const child = start(`for (let i = 1; i <= 30; i++) console.log("line " + i + "."); process.exitCode = 4`, {
    ready: /never/,
  });
  const error: Error = await child.ready.then(
    () => new Error("it was ready"),
    (reason) => reason,
  );
  expect(error.message).toMatch(/^sample ended before it was ready, with exit code 4/);
  expect(error.message).toContain("line 11.\n");
  expect(error.message).toContain("line 30.");
  expect(error.message).not.toContain("line 10.");
});

test("a child that is not ready in time is reported and left running", async () => {
  const child = start("setInterval(() => {}, 1000)", { ready: /never/, readyDeadlineMs: 200 });
  await expect(child.ready).rejects.toThrow(/not ready within 0.2 s .*It wrote nothing/);
  process.kill(child.pid!, 0);
});

test("a child that ignores SIGTERM is killed after the deadline", async () => {
  const child = start(`process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)`, {
    ready: /^up$/,
  });
  await child.ready;
  await expect(child.stop(200)).resolves.toEqual({ code: null, signal: "SIGKILL" });
  await expect(child.stop(200)).resolves.toEqual({ code: null, signal: "SIGKILL" });
});

test("a program that does not exist is reported by ready and exited, and nothing is thrown", async () => {
  const child = startChild({
    name: "missing",
    command: join(dir, "no-such-program"),
    args: [],
    output: { file: join(dir, "missing.log") },
    ready: /up/,
  });
  await expect(child.ready).rejects.toThrow(/missing ended before it was ready.*ENOENT/s);
  await expect(child.exited).resolves.toEqual({ code: 127, signal: null });
  await expect(child.stop(10)).resolves.toEqual({ code: 127, signal: null });
});

test("without a ready line it is ready once started", async () => {
  const lines: string[] = [];
  const child = startChild({
    name: "sample",
    command: process.execPath,
    args: ["-e", 'process.stdout.write("one\\ntwo")'],
    output: { to: (line) => lines.push(line) },
  });
  await expect(child.ready).resolves.toBeUndefined();
  await expect(child.exited).resolves.toEqual({ code: 0, signal: null });
  expect(lines).toEqual(["one", "two"]);
  expect(child.lastLines()).toEqual(["one", "two"]);
});

test("a prefix marks its lines on the output and the errors of this process", async () => {
  const script = `import { startChild } from ${JSON.stringify(join(projectRoot(), "scripts/children.ts"))};
    const write = 'console.log("one"); console.error("two")';
    const child = startChild({ name: "s", command: process.execPath, args: ["-e", write], output: { prefix: "[s]" } });
    await child.exited;`;
  const args = ["--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  expect({ stdout, stderr }).toEqual({ stdout: "[s] one\n", stderr: "[s] two\n" });
});

test("a log file on a full disk holds up neither the child nor its end", async () => {
  const child = startChild({
    name: "sample",
    command: process.execPath,
    args: [
      "-e",
      `for (let n = 0; n < 20000; n++) console.log("x".repeat(1000)); console.log("done"); setInterval(() => {}, 1000)`,
    ],
    output: { file: "/dev/full" },
    ready: /^done$/,
  });
  children.push(child);
  await child.ready;
  await expect(child.stop(5_000)).resolves.toEqual({ code: null, signal: "SIGTERM" });
});
