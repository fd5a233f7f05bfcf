import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { closeOutput, outputTo, printError, printLine } from "../broker/outputs.ts";

const LINES_IN_ERRORS = 20;
const READY_DEADLINE_MS = 60_000;
/** A grandchild may keep the output open after the child has ended; it is not waited for longer than this. */
const OUTPUT_GRACE_MS = 1000;

export interface ChildOptions {
  /** Its name in prefixes and errors. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /**
   * Where its output and errors go: a file, to which they are appended; this process's own output, with a prefix before
   * each line; or a function, line by line. Neither a full disk nor an output that nobody reads blocks the child or
   * this process.
   */
  output: { file: string } | { prefix: string } | { to: (line: string) => void };
  /** The line of its output that shows that it is ready. Without it the child is ready once it is started. */
  ready?: RegExp;
  readyDeadlineMs?: number;
}

/** The error of `ready` where the child ended before it was ready. */
export class EndedBeforeReady extends Error {}

/** How a child ended; the code is 127 when it could not be started. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  name: string;
  /** `undefined` where it could not be started; `ready` rejects with the reason. */
  pid: number | undefined;
  /**
   * The match of the ready line. Rejects, with the child's last lines, where it ends before that line
   * (`EndedBeforeReady`) or does not write it in time; then it keeps running.
   */
  ready: Promise<RegExpMatchArray | undefined>;
  /** Resolves when it has ended and its output is written as far as possible. Never rejects. */
  exited: Promise<ChildExit>;
  /** The last lines of its output and errors, twenty at the most. */
  lastLines(): readonly string[];
  /** Sends SIGTERM, and SIGKILL if it still runs after `deadlineMs`. Resolves when it has ended. */
  stop(deadlineMs: number): Promise<ChildExit>;
}

/** Starts a child process that ends with this one. Never throws: `ready` and `exited` report errors. */
export function startChild(options: ChildOptions): Child {
  const { name, command, args, cwd } = options;
  const env = Object.fromEntries(
    Object.entries({ ...process.env, ...options.env }).filter(([, value]) => value !== undefined),
  );
  const process_ = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const lastLines: string[] = [];
  const lineWatchers = new Set<(line: string) => void>();
  const sink = openSink(options.output);
  for (const [stream, isError] of [
    [process_.stdout, false],
    [process_.stderr, true],
  ] as const) {
    createInterface({ input: stream }).on("line", (line) => {
      lastLines.push(line);
      if (lastLines.length > LINES_IN_ERRORS) lastLines.shift();
      sink.line(line, isError);
      for (const watcher of lineWatchers) watcher(line);
    });
  }
  const ended = untilEnded(process_, lastLines);
  const exited = ended.then(async (exit) => {
    await sink.close();
    return exit;
  });
  const ready = untilReady(options, lineWatchers, ended, lastLines);
  // Whoever awaits it still gets the rejection; without a reader it must not end this process.
  ready.catch(() => undefined);
  const stop = async (deadlineMs: number): Promise<ChildExit> => {
    process_.kill("SIGTERM");
    const timer = setTimeout(() => process_.kill("SIGKILL"), deadlineMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  return { name, pid: process_.pid, ready, exited, lastLines: () => lastLines, stop };
}

function untilReady(
  options: ChildOptions,
  lineWatchers: Set<(line: string) => void>,
  ended: Promise<ChildExit>,
  lastLines: string[],
): Promise<RegExpMatchArray | undefined> {
  const { name, ready, readyDeadlineMs = READY_DEADLINE_MS } = options;
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      lineWatchers.delete(watch);
      finish();
    };
    const fail = (what: string, Kind: typeof EndedBeforeReady = Error) => {
      const tail = lastLines.length === 0 ? "It wrote nothing." : `Its last lines:\n${lastLines.join("\n")}`;
      settle(() => reject(new Kind(`${name} ${what}. ${tail}`)));
    };
    const watch = (line: string) => {
      const match = ready === undefined ? null : line.match(ready);
      if (match !== null) settle(() => resolve(match));
    };
    const timer = setTimeout(
      () => fail(`was not ready within ${readyDeadlineMs / 1000} s (no line like ${ready})`),
      readyDeadlineMs,
    );
    lineWatchers.add(watch);
    void ended.then(({ code, signal }) =>
      fail(`ended before it was ready, with ${signal ?? `exit code ${code}`}`, EndedBeforeReady),
    );
    if (ready === undefined) setImmediate(() => settle(() => resolve(undefined)));
  });
}

function untilEnded(child: ChildProcess, lastLines: string[]): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      lastLines.push(error.message);
      resolve({ code: 127, signal: null });
    });
    child.once("exit", () => {
      const timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, OUTPUT_GRACE_MS);
      child.once("close", () => clearTimeout(timer));
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

interface Sink {
  line(line: string, isError: boolean): void;
  close(): Promise<void>;
}

function openSink(output: ChildOptions["output"]): Sink {
  if ("file" in output) {
    const { file } = output;
    return { line: (line) => outputTo(file).write(`${line}\n`), close: () => closeOutput(file) };
  }
  const close = async () => undefined;
  if ("to" in output) return { line: (line) => output.to(line), close };
  return { line: (line, isError) => (isError ? printError : printLine)(`${output.prefix} ${line}`), close };
}
