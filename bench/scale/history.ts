import { giftPrice, rooms } from "../settle/gifts.ts";
import { firstAnchor, firstSender } from "../support/seed.ts";

/** What the history of filled books is made of. */

export const coins = 10_000;
export const incomePoints = giftPrice * 50;
const rowsPerStatement = 250_000;

export interface Filled {
  accounts: number;
  /** Rows of the ledger: a recharge for each account, and as many pairs of a recharge and a gift as fit. */
  trades: number;
  /** Gifts among them, each with its record. */
  gifts: number;
  /** The oldest of these gifts, which are archived with everything before them; 0: nothing is. */
  archivedGifts: number;
}

/** The plan for `accounts` and `trades`, in whole pairs; all but the newest `hot` trades are archived. */
export function plan(accounts: number, trades: number, hot = trades): Filled {
  const gifts = Math.max(0, Math.floor((trades - accounts) / 2));
  const archivedGifts = Math.max(0, Math.floor((trades - hot - accounts) / 2));
  return { accounts, trades: accounts + 2 * gifts, gifts, archivedGifts };
}

/** The whole numbers from 0 to a million, as a derived table that works on every server. */
const digit =
  "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
const million = `(SELECT f.d * 100000 + e.d * 10000 + d.d * 1000 + c.d * 100 + b.d * 10 + a.d AS i
  FROM ${digit} a, ${digit} b, ${digit} c, ${digit} d, ${digit} e, ${digit} f)`;

/** Numbers n from `from` up, `size` of them. */
const numbers = (from: number, size: number) => `(SELECT ${from} + i AS n FROM ${million} m WHERE i < ${size}) numbers`;

/** The account of pair n: spread evenly, in no order. */
export const userOf = (accounts: number) => `${firstSender} + (n * 7919) % ${accounts}`;
export const anchorOf = `${firstAnchor} + n % ${rooms}`;
export const orderOf = "MD5(CONCAT('gift-', n))";

export interface Tables {
  account: string;
  trade: string;
  income: string;
  posting: string;
  record: string;
}

/** Calls `insert` with each portion of the numbers from `from` to `to`, and with its table of numbers. */
export async function inPortions(
  [from, to]: readonly [from: number, to: number],
  what: string,
  progress: (line: string) => void,
  insert: (numbers: string, from: number, size: number) => Promise<unknown>,
): Promise<void> {
  for (let done = from; done < to; done += rowsPerStatement) {
    const size = Math.min(rowsPerStatement, to - done);
    await insert(numbers(done, size), done, size);
    if (to - from > rowsPerStatement) progress(`${what}: ${done + size} of ${to}`);
  }
}
