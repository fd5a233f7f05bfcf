import { messageOf } from "./stack/wait.ts";

/** Runs a command to its end. Its result is the process's exit code. An error is printed, with exit code 1. */
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
