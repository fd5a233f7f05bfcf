import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { projectRoot } from "../config/root.ts";

/** What `jest --json` writes of a file, as far as it is read here. */
export interface JestFile {
  readonly name: string;
  readonly status: string;
  /** When it began and ended, ms since 1970; 0 where it did not run. */
  readonly startTime: number;
  readonly endTime: number;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[];
  }[];
}

export interface JestReport {
  readonly testResults: readonly JestFile[];
}

/** What a run of jest adds to the result of all tests. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** A line each; see `linesOf`. */
  readonly failures: readonly string[];
  /** What failed first and passed when it ran once more. */
  readonly unstable: readonly string[];
}

/** More files than this that fail are no matter of a busy machine. */
const repeatedFiles = 5;

/**
 * How a message begins where `eventually`, jest or the browser reports a missed deadline. So does JetStream where nobody
 * answers for a moment, since nats-server takes the logins of another test file into its configuration. Anything else has
 * failed, also where a missed deadline is its cause, e.g. in a property test. Of an error outside of every test jest
 * leaves `Error: ` out.
 */
const missedDeadline = new RegExp(
  [
    String.raw`^\s*(Error: )?(not within \d+ ms:|thrown: "Exceeded timeout of \d+ ms)`,
    String.raw`^\s*(TimeoutError: )?[a-zA-Z]+\.[a-zA-Z]+: Timeout \d+ms exceeded`,
    String.raw`^\s*NatsError: (503|TIMEOUT)\n`,
  ].join("|"),
);

/** Here a missed deadline may be lost money: it is never tried again. */
const neverRepeated = /^test\/integration\/(payment|wallet)\//;

/** Kinds of tests that leave their system damaged, or take it as it is. */
const neverAgain = ["e2e/crash", "upgrade"];

const pathOf = (file: JestFile) => relative(projectRoot(), file.name);
const statusOf = (file: JestFile, status: string) => file.assertionResults.filter((test) => test.status === status);
export const hasFailed = (file: JestFile): boolean => file.status === "failed" || statusOf(file, "failed").length > 0;

/**
 * The files that may run once more, since a busy machine misses deadlines: those whose every failed test missed one.
 * None where many files failed, and none of `e2e/crash`, which leaves its system damaged.
 */
export function repeatable(files: readonly JestFile[], projects: readonly string[]): JestFile[] {
  const failed = files.filter(hasFailed);
  if (failed.length > repeatedFiles || neverAgain.some((name) => projects.includes(name))) return [];
  return failed.filter((file) => !neverRepeated.test(pathOf(file)) && onlyMissedDeadlines(file));
}

function onlyMissedDeadlines(file: JestFile): boolean {
  const outside = errorsOutsideOfTests(file);
  if (!outside.every(isMissedDeadline)) return false;
  const failed = statusOf(file, "failed");
  if (failed.length === 0) return outside.length > 0;
  return failed.every(({ failureMessages: all }) => all.length > 0 && all.every(isMissedDeadline));
}

/** The beginnings of errors outside of every test, e.g. in afterAll: they are in the file's message alone. */
function errorsOutsideOfTests({ message }: JestFile): string[] {
  return stripVTControlCharacters(message).split("Test suite failed to run").slice(1);
}

function isMissedDeadline(message: string): boolean {
  return missedDeadline.test(stripVTControlCharacters(message));
}

/**
 * The outcome of a run named `run` whose files `repeated` ran once more, with the report `again`: `undefined` where
 * that run left none. A repeated file counts with its second result where there is one; every other one with its first.
 */
export function outcomeOf(
  run: string,
  files: readonly JestFile[],
  repeated: readonly JestFile[] = [],
  again?: JestReport,
): Outcome {
  const second = new Map(again?.testResults.map((file) => [file.name, file]));
  const last = (file: JestFile) => (repeated.includes(file) && second.get(file.name)) || file;
  const counted = files.map(last);
  const sum = (status: string) => counted.reduce((all, file) => all + statusOf(file, status).length, 0);
  const didNotRun = counted.filter((file) => hasFailed(file) && statusOf(file, "failed").length === 0);
  return {
    passed: sum("passed"),
    failed: sum("failed") + didNotRun.length,
    skipped: sum("pending"),
    failures: linesOf(run, counted.filter(hasFailed)),
    unstable: linesOf(
      run,
      repeated.filter((file) => !hasFailed(last(file))),
    ),
  };
}

/** How long a file took in a run, seconds. */
export interface FileTime {
  readonly run: string;
  readonly path: string;
  readonly seconds: number;
}

export function timesOf(run: string, files: readonly JestFile[]): FileTime[] {
  return files.map((file) => ({ run, path: pathOf(file), seconds: (file.endTime - file.startTime) / 1_000 }));
}

/** The files that took longest, a line each. */
export function slowestLines(times: readonly FileTime[], most: number): string[] {
  const slowest = times.toSorted((one, other) => other.seconds - one.seconds).slice(0, most);
  return slowest.map(({ run, path, seconds }) => `${seconds.toFixed(0).padStart(4)} s ${run}: ${path}`);
}

/** One line a failed test, with its message in short; tests of a file that fail alike share their line. */
function linesOf(run: string, files: readonly JestFile[]): string[] {
  return files.flatMap((file) => {
    const path = pathOf(file);
    const failed = statusOf(file, "failed");
    const what = statusOf(file, "passed").length > 0 ? "failed outside of its tests" : "did not run";
    if (failed.length === 0) return [`${run}: ${path} ${what}: ${inShort(file.message)}`];
    const alike = Map.groupBy(failed, (test) => inShort(test.failureMessages[0] ?? "no message"));
    return [...alike].map(([message, [first, ...others]]) => {
      const more = others.length > 0 ? ` (and ${others.length} more of the file)` : "";
      return `${run}: ${path}: ${first?.fullName}${more}: ${message}${placeOf(first?.failureMessages[0] ?? "")}`;
    });
  });
}

const traced = (message: string) => stripVTControlCharacters(message).split(/\n\s+at /);

/** Colours out, white space to single spaces; of a long message the beginning and the end, where a difference may be. */
function inShort(message: string): string {
  const line = (traced(message)[0] as string).replace(/\s+/g, " ").trim();
  return line.length <= 600 ? line : `${line.slice(0, 300)} ... ${line.slice(-300)}`;
}

/** Where it was thrown, as the first line of the trace has it. */
function placeOf(message: string): string {
  const place = traced(message)[1];
  return place === undefined ? "" : ` at ${place.trim()}`;
}
