import { messageOf } from "./stack/wait.ts";

/** Runs a command to its end: what it resolves to is the process's exit code, what it throws is said and is 1. */
export function runCommand(command: () => Promise<number>): void {
  command().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(messageOf(error));
      process.exitCode = 1;
    },
  );
}
