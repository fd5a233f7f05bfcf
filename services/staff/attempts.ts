import { fail } from "../../broker/failure.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import { limitKeyOf } from "../client-address.ts";
import {
  isKnownAddress,
  keepAddress,
  keysOf,
  lockFailures,
  readFailures,
  setFailures,
  takeOff,
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
}

function requireNoPause(waitMs: number): void {
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}

/**
 * Counts a try as failed before anything is checked, so that many at once are no way around the pauses. What is counted
 * is in the database and outlives nodes. A try within a pause is not counted: a person is never locked out for good.
 * Fails: tooMany with `waitMs`, unavailable.
 */
export async function beginAttempt(mysql: Database, name: string, from: string): Promise<Attempt> {
  const address = limitKeyOf(from);
  const isKnown = await isKnownAddress(mysql, name, address);
  const keys = keysOf(name, address, isKnown);
  // Without locks, so that a flood of tries within a pause waits for nobody.
  requireNoPause(waitOf(await readFailures(mysql, keys), await databaseNow(mysql)));
  await mysql.transaction(async (tx) => {
    const counts = await lockFailures(tx, keys);
    const now = await databaseNow(tx);
    requireNoPause(waitOf(counts, now));
    for (const [at, key] of keys.entries()) {
      const count = counts[at];
      if (count) await setFailures(tx, key, countedFailures(count, now) + 1);
    }
  });
  return { name, address, isKnown };
}

/** The try was right after all. With `login`, the address is known to be the person's from then on. */
export async function attemptSucceeded(tx: Transaction, attempt: Attempt, login: boolean): Promise<void> {
  const { name, address, isKnown } = attempt;
  for (const key of keysOf(name, address, isKnown)) await takeOff(tx, key);
  if (login) await keepAddress(tx, name, address);
}
