import { linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile, temporaryName } from "./files.ts";
import { isAlive, ownIdentity, type ProcessIdentity } from "./processes.ts";
import { becomesTrue } from "./wait.ts";

/**
 * A lock between processes that a killed holder does not keep.
 *
 * Deleting a dead holder's lock file is a race: two waiters see it, the first deletes it and takes the lock, and the
 * second deletes the first one's file. So a file is never deleted by a waiter. The files are NAME.lock.1, .2, .3, ...,
 * and the highest number has the holder. Taking the lock means creating the next number (link fails where it exists)
 * and then checking that no higher one appeared. Only a holder removes files, and only those with lower numbers.
 */

interface LockOptions {
  /** The longest wait for another holder. */
  deadlineMs: number;
  /** How often to check whether it is free. */
  pollMs?: number;
  /** Called once where another process holds the lock. */
  onWait?: (holder: number) => void;
}

/** Runs the task while no other process, and no other call in this one, holds the lock of that name in that folder. */
export async function withLock<T>(
  dir: string,
  name: string,
  options: LockOptions,
  task: () => Promise<T> | T,
): Promise<T> {
  mkdirSync(dir, { recursive: true });
  const file = await acquire(join(dir, `${name}.lock`), dir, `${name}.lock.`, options);
  try {
    return await task();
  } finally {
    replaceFile(file, "free\n");
  }
}

async function acquire(base: string, dir: string, prefix: string, options: LockOptions): Promise<string> {
  let taken: string | undefined;
  let holder: number | undefined;
  const held = await becomesTrue(
    () => {
      const top = highest(dir, prefix);
      const current = top === 0 ? undefined : liveHolder(`${base}.${top}`);
      if (current !== undefined) {
        if (holder === undefined) options.onWait?.(current.pid);
        holder = current.pid;
        return false;
      }
      const next = top + 1;
      if (!createNumber(base, next)) return false;
      if (highest(dir, prefix) > next) {
        rmSync(`${base}.${next}`, { force: true });
        return false;
      }
      removeBelow(dir, prefix, next);
      taken = `${base}.${next}`;
      return true;
    },
    options.deadlineMs,
    options.pollMs,
  );
  if (held && taken !== undefined) return taken;
  throw new Error(
    `process ${holder ?? "?"} has held ${base} for more than ${options.deadlineMs / 1000} s; ` +
      `wait for it, or end it if it hangs, and try again`,
  );
}

function createNumber(base: string, number: number): boolean {
  const temporary = temporaryName(base);
  writeFileSync(temporary, JSON.stringify(ownIdentity()), { mode: 0o600 });
  try {
    // A link, not an exclusive create: the file appears with its content or not at all.
    linkSync(temporary, `${base}.${number}`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function liveHolder(file: string): ProcessIdentity | undefined {
  const text = readIfThere(file);
  if (text === undefined || !text.startsWith("{")) return undefined;
  const identity = JSON.parse(text) as ProcessIdentity;
  return isAlive(identity) ? identity : undefined;
}

function numbers(dir: string, prefix: string): number[] {
  return readdirSync(dir)
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => Number(entry.slice(prefix.length)))
    .filter(Number.isSafeInteger);
}

function highest(dir: string, prefix: string): number {
  return Math.max(0, ...numbers(dir, prefix));
}

function removeBelow(dir: string, prefix: string, limit: number): void {
  for (const number of numbers(dir, prefix)) {
    if (number < limit) rmSync(join(dir, `${prefix}${number}`), { force: true });
  }
}
