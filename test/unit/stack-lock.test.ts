import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../../scripts/stack/lock.ts";
import { birthOf } from "../../scripts/stack/processes.ts";

const PATIENT = { deadlineMs: 20_000 };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-lock-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("tasks run one at a time, each to its end", async () => {
  let inside = 0;
  let most = 0;
  const task = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => withLock(dir, "stack", PATIENT, task)));
  expect(most).toBe(1);
  expect(readdirSync(dir)).toEqual(["stack.lock.20"]);
});

test("the result comes through, and a failure frees the lock", async () => {
  await expect(withLock(dir, "stack", PATIENT, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(withLock(dir, "stack", PATIENT, () => 7)).resolves.toBe(7);
});

test("a dead holder's lock is taken over, also when its pid lives on in another process", async () => {
  const otherLife = { pid: process.pid, birth: "an earlier process of this number" };
  writeFileSync(join(dir, "stack.lock.41"), JSON.stringify(otherLife));
  await expect(withLock(dir, "stack", PATIENT, () => "mine")).resolves.toBe("mine");
  expect(readdirSync(dir)).toEqual(["stack.lock.42"]);
});

test("a live holder's lock is waited for, by name, up to the deadline", async () => {
  const holder = { pid: process.pid, birth: birthOf(process.pid) };
  writeFileSync(join(dir, "stack.lock.1"), JSON.stringify(holder));
  const waits: number[] = [];
  const attempt = withLock(dir, "stack", { deadlineMs: 100, onWait: (pid) => waits.push(pid) }, () => "mine");
  await expect(attempt).rejects.toThrow(`process ${process.pid} has held`);
  expect(waits).toEqual([process.pid]);
});
