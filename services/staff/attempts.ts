import { fail, isFailure, isUnavailable } from "../../broker/failure.ts";
import { limitKeyOf } from "../../mixins/http/client-address.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import {
  type AttemptKey,
  type Counted,
  forgetFailures,
  isKnownAddress,
  keepAddress,
  keysOf,
  lockFailures,
  readFailures,
  setFailures,
  takeOff,
  takeOneOff,
} from "./attempt-store.ts";
import { countedFailures, waitOf } from "./pauses.ts";
import { databaseNow } from "./person-store.ts";

/** A try that counts as failed until `succeeded`. */
export interface Attempt {
  readonly name: string;
  /** As limits see it: an IPv6 client can choose among the addresses of its network. */
  readonly address: string;
  /** Whether the person has logged in from there: strangers' tries do not slow this one. */
  readonly isKnown: boolean;
  /** What it is counted in. */
  readonly counted: readonly Counted[];
}

function requireNoPause(waitMs: number): void {
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}

/** Counts a try in the rows of these keys, unless one of them has a pause. */
async function countTry(mysql: Database, keys: readonly AttemptKey[]): Promise<Counted[]> {
  // Without locks, so that a flood of tries within a pause waits for nobody.
  requireNoPause(waitOf(await readFailures(mysql, keys), await databaseNow(mysql)));
  return mysql.transaction(async (tx) => {
    const counts = await lockFailures(tx, keys);
    const now = await databaseNow(tx);
    requireNoPause(waitOf(counts, now));
    const counted: Counted[] = [];
    for (const [at, key] of keys.entries()) {
      const count = counts[at];
      if (!count) continue;
      await setFailures(tx, key, countedFailures(count, now) + 1, now);
      counted.push({ key, time: now, former: count.failedTime });
    }
    return counted;
  });
}

/**
 * Counts a try as failed before anything is checked, so that many at once are no way around the pauses. What is counted
 * is in the database and outlives nodes. A try within a pause is not counted: a person is never locked out for good.
 * Fails: tooMany with `waitMs`, unavailable.
 */
export async function beginAttempt(mysql: Database, name: string, from: string): Promise<Attempt> {
  const address = limitKeyOf(from);
  const isKnown = await isKnownAddress(mysql, name, address);
  const counted = await countTry(mysql, keysOf(name, address, isKnown));
  return { name, address, isKnown, counted };
}

/**
 * Counts a wrong setup code, of its address alone: nobody guesses 160 random bits, so that strangers' tries slow nobody
 * who has the right one. Fails: tooMany with `waitMs`, unavailable.
 */
export async function wrongSetupCode(mysql: Database, name: string, from: string): Promise<void> {
  const keys = keysOf(name, limitKeyOf(from), false);
  await countTry(
    mysql,
    keys.filter(({ kind }) => kind !== "person"),
  );
}

/** The person has enrolled from there: the address is known to be theirs from then on. */
export async function enrolledFrom(tx: Transaction, name: string, from: string): Promise<void> {
  const address = limitKeyOf(from);
  for (const key of keysOf(name, address, true)) await forgetFailures(tx, key);
  await keepAddress(tx, name, address);
}

/**
 * Checks what the try shows. Where that is not done, since too many wait or a dependency is away, the try is not counted,
 * and renews no pause: nobody has learned anything by it. Fails: as `check`, unavailable.
 */
export async function checkAttempt<T>(mysql: Database, attempt: Attempt, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (isFailure(error, "tooMany") || isUnavailable(error)) {
      await mysql.transaction(async (tx) => {
        for (const counted of attempt.counted) await takeOneOff(tx, counted);
      });
    }
    throw error;
  }
}

/** The try was right after all. With `login`, the address is known to be the person's from then on. */
export async function attemptSucceeded(tx: Transaction, attempt: Attempt, login: boolean): Promise<void> {
  const { name, address } = attempt;
  for (const counted of attempt.counted) await takeOff(tx, counted);
  if (login) await keepAddress(tx, name, address);
}
