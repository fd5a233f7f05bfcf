import { limits } from "../config/limits.ts";
import { LineOutput } from "./line-output.ts";

/**
 * The outputs of this process: standard output and error, and files. Lines that wait when the process ends are written
 * then, for `limits.log.flushAtExitMs` at the most.
 */
const outputs = new Map<string, LineOutput>();
let flushesAtExit = false;

const standardError = new LineOutput({ fd: 2 });
const standardOutput = new LineOutput({ fd: 1 }, printError);
outputs.set("", standardOutput);

/** A line on standard output, for people; never waits and never throws. */
export function printLine(line: string): void {
  keepUntilExit();
  standardOutput.writeNow(`${line}\n`);
}

/** A line on standard error; never waits and never throws. */
export function printError(line: string): void {
  keepUntilExit();
  standardError.writeNow(`${line}\n`);
}

/** The one output of this file, or of standard output. */
export function outputTo(file: string | undefined): LineOutput {
  keepUntilExit();
  const known = outputs.get(file ?? "");
  if (known) return known;
  const created = new LineOutput({ file: file as string }, printError);
  outputs.set(file as string, created);
  return created;
}

/** Closes a file after writing its waiting lines, for at most `limits.log.flushAtExitMs`. */
export async function closeOutput(file: string): Promise<void> {
  const output = outputs.get(file);
  if (!output) return;
  await output.flushed(limits.log.flushAtExitMs);
  output.flushSync(Date.now());
  outputs.delete(file);
  output.close();
}

/** Ends the process after writing all waiting lines, for at most `limits.log.flushAtExitMs`. */
export async function endProcess(code?: number): Promise<never> {
  const all = [...outputs.values(), standardError];
  await Promise.all(all.map((output) => output.flushed(limits.log.flushAtExitMs)));
  process.exit(code);
}

function keepUntilExit(): void {
  if (flushesAtExit) return;
  flushesAtExit = true;
  process.on("exit", () => {
    const deadline = Date.now() + limits.log.flushAtExitMs;
    for (const output of outputs.values()) output.flushSync(deadline);
    standardError.flushSync(deadline);
    // exit() waits for every thread. One that is blocked in a write would wait for ever, so only SIGKILL ends the
    // process.
    if ([...outputs.values(), standardError].some((output) => output.isStuck)) process.kill(process.pid, "SIGKILL");
  });
}
