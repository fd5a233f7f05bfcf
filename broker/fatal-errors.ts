import type { ServiceBroker } from "moleculer";
import { printError } from "./outputs.ts";

let broker: ServiceBroker | undefined;
let ending = false;

/** The broker whose log records the error that ends this process. */
export function logUncaughtErrorsTo(of: ServiceBroker): void {
  broker = of;
}

/**
 * An uncaught error (an exception, or a rejected promise) ends the process at once, with exit code 1 and the error in
 * the log and on standard error. The state of the process is unknown then. Whatever was acknowledged is durable in
 * databases and streams, and another node or the next start continues from there. Called once, at the start.
 */
export function endOnUncaughtErrors(): void {
  process.on("uncaughtException", (error: unknown, origin) => {
    if (ending) return;
    ending = true;
    const what = origin === "unhandledRejection" ? "a rejected promise that nobody handled" : "an uncaught exception";
    report(`${what} ends this process`, error);
    process.exit(1);
  });
}

function report(sentence: string, error: unknown): void {
  printError(`${sentence}: ${stackOf(error)}`);
  try {
    broker?.logger.fatal({ err: error instanceof Error ? error : new Error(stackOf(error)) }, sentence);
  } catch (failure) {
    printError(`that error could not be logged: ${stackOf(failure)}`);
  }
}

/** The stack as text. Never throws, although reading a thrown value may. */
function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "a value that cannot be shown";
  }
}
