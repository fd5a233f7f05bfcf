import { limits } from "../../config/limits.ts";

/** How failed logins are slowed. */

/**
 * What is counted: the failures of a person from one address (`pair`); those of one address, whoever was named
 * (`address`); and those of a person from addresses that are not known to be theirs (`person`).
 */
export type AttemptKind = "pair" | "address" | "person";

const { freePairFailures, freeAddressFailures, freePersonFailures, pauseMsMax, personPauseMsMax } = limits.staff;

const bounds: Readonly<Record<AttemptKind, { free: number; most: number }>> = {
  pair: { free: freePairFailures, most: pauseMsMax },
  address: { free: freeAddressFailures, most: pauseMsMax },
  person: { free: freePersonFailures, most: personPauseMsMax },
};

/** The pause after so many failures, in ms: none at first, then twice as long after each. */
export function pauseAfter(kind: AttemptKind, failures: number): number {
  const { free, most } = bounds[kind];
  if (failures < free) return 0;
  return Math.min(limits.staff.firstPauseMs * 2 ** Math.min(failures - free, 30), most);
}

export interface Failures {
  readonly kind: AttemptKind;
  readonly failures: number;
  /** ms since 1970. */
  readonly failedTime: number;
}

/** The failures that still count. */
export function countedFailures({ failures, failedTime }: Failures, now: number): number {
  return now - failedTime > limits.staff.failuresKeptMs ? 0 : failures;
}

/** How long the next try has to wait, in ms; 0: it may be made. */
export function waitOf(counts: readonly Failures[], now: number): number {
  const waits = counts.map((one) => one.failedTime + pauseAfter(one.kind, countedFailures(one, now)) - now);
  return Math.max(0, ...waits);
}
