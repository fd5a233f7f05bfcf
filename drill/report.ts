import { rounded } from "../bench/support/percentiles.ts";
import { faultKinds } from "./books/compare.ts";
import type { Outcome } from "./row-run.ts";

/** A row's result, as `--json` prints it. */
export interface RowResult extends Partial<Figures> {
  readonly name: string;
  readonly title: string;
  /** Whether the row reached its goal. */
  readonly ok: boolean;
  /** Why the row was not run, where it was not. */
  readonly skipped?: string;
  /** Why the row could not be brought to its end. */
  readonly error?: string;
}

interface Figures {
  note: string;
  giftsPerSecond: number;
  gifts: number;
  giftsUnknown: number;
  giftsRefused: number;
  payments: number;
  lost: number;
  doubled: number;
  failed: number;
  disordered: number;
  overdrafts: number;
  missedInSilence: number;
  missedAndTold: number;
  settledAgainSeconds: number;
  heldUp: number;
  p99Seconds: number;
  errors: Readonly<Record<string, number>>;
  reconnects: number;
  ends: readonly string[];
  faults: readonly string[];
  seconds: number;
}

/** Settled again within this time, s. */
const settledWithin = 30;

export function resultOf({ name, title }: { name: string; title: string }, outcome: Outcome): RowResult {
  const { gifts, payments, stall, unseen } = outcome;
  const figures: Figures = {
    note: outcome.note ?? "",
    giftsPerSecond: rounded(outcome.rate, 0),
    ...{ gifts: gifts.accepted, giftsUnknown: gifts.unknown, giftsRefused: gifts.refused, payments: payments.accepted },
    ...{ lost: outcome.lost, doubled: outcome.doubled, failed: outcome.failed, disordered: outcome.disordered },
    overdrafts: outcome.overdrafts,
    missedInSilence: unseen.silent + unseen.holes,
    missedAndTold: unseen.told,
    settledAgainSeconds: rounded(stall.seconds, 1),
    ...{ heldUp: stall.gifts, p99Seconds: rounded(stall.p99, 2), errors: outcome.errors },
    ...{ reconnects: unseen.reconnects, ends: outcome.ends, faults: outcome.faults },
    seconds: rounded(outcome.seconds, 0),
  };
  const { lost, doubled, failed, overdrafts, missedInSilence, settledAgainSeconds, faults } = figures;
  const isWhole = lost + doubled + failed + overdrafts + missedInSilence + unseen.stopped + outcome.misnamed === 0;
  // What is out of order is counted, and is no fault of the books.
  const isOfOrder = (fault: string) => fault.startsWith(faultKinds.disordered);
  const ok = isWhole && outcome.flows && settledAgainSeconds <= settledWithin && faults.every(isOfOrder);
  return { name, title, ok, ...figures };
}

const columns = [
  ["row", ({ title, note }: RowResult) => (note ? `${title} (${note})` : title)],
  ["gifts", ({ gifts }: RowResult) => gifts],
  ["payments", ({ payments }: RowResult) => payments],
  ["lost", ({ lost }: RowResult) => lost],
  ["doubled", ({ doubled }: RowResult) => doubled],
  ["order", ({ disordered }: RowResult) => disordered],
  ["over-drafts", ({ overdrafts }: RowResult) => overdrafts],
  ["missed", ({ missedInSilence }: RowResult) => missedInSilence],
  ["told", ({ missedAndTold }: RowResult) => missedAndTold],
  ["again, s", ({ settledAgainSeconds }: RowResult) => settledAgainSeconds],
  ["held up", ({ heldUp }: RowResult) => heldUp],
  ["errors that clients saw", ({ errors = {} }: RowResult) => shownErrors(errors)],
  ["", ({ ok }: RowResult) => (ok ? "" : "**missed**")],
] as const;

/** Of gift/send by what they said, of the others by path. */
function shownErrors(errors: Readonly<Record<string, number>>): string {
  return Object.entries(errors)
    .sort(([, one], [, other]) => other - one)
    .map(([what, times]) => `${times} × ${what.replace(/^gift\/send /, "")}`)
    .join(", ");
}

/** The table of docs/drills.md. */
export function tableOf(results: readonly RowResult[]): string {
  const lines = results.map((result) => {
    const failure = result.skipped ? `skipped: ${result.skipped}` : result.error;
    const cells = failure
      ? [
          `${result.title}: ${failure.split("\n", 1)[0]}`,
          ...columns.slice(1, -1).map(() => ""),
          result.ok ? "" : "**missed**",
        ]
      : columns.map(([, cell]) => String(cell(result) ?? ""));
    return `| ${cells.join(" | ")} |`;
  });
  const head = columns.map(([title]) => title);
  return [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...lines].join("\n");
}
