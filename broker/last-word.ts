import type { ServiceBroker } from "moleculer";
import { complain } from "./outputs.ts";

let broker: ServiceBroker | undefined;
let spoken = false;

/** Whose log gets the last word of this process. */
export function logsLastWord(of: ServiceBroker): void {
  broker = of;
}

/**
 * An error that nobody caught (an exception, or a promise that was rejected) ends the process at once, with exit code 1
 * and the error in the log and on standard error: what it left half done is unknown, and everything that was promised
 * stands in the databases and streams, from where another node or the next start goes on. Called once, at the start.
 */
export function endOnUncaughtErrors(): void {
  process.on("uncaughtException", (error: unknown, origin) => {
    if (spoken) return;
    spoken = true;
    const what = origin === "unhandledRejection" ? "a rejected promise that nobody handled" : "an uncaught exception";
    lastWord(`${what} ends this process`, error);
    process.exit(1);
  });
}

function lastWord(sentence: string, error: unknown): void {
  complain(`${sentence}: ${stackOf(error)}`);
  try {
    broker?.logger.fatal({ err: error instanceof Error ? error : new Error(stackOf(error)) }, sentence);
  } catch (failure) {
    complain(`the log did not take the last word: ${stackOf(failure)}`);
  }
}

/** Whatever was thrown may throw again when it is looked at. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "something that cannot be shown";
  }
}
