import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** Folders of server programs that are often not in a user's PATH. */
const MORE_FOLDERS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/usr/libexec",
  "/opt/homebrew/bin",
  "/opt/homebrew/sbin",
  "/opt/homebrew/opt/mysql/bin",
  "/usr/local/mysql/bin",
];

/** The environment with the folders of server programs added to the end of PATH. */
export function withServerPath(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return { ...env, PATH: [...new Set([...folders, ...MORE_FOLDERS])].join(delimiter) };
}

/** The full path of the first of these programs that is installed; undefined when none is. */
export function findProgram(names: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const folders = (withServerPath(env).PATH ?? "").split(delimiter);
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find(isProgram);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return false;
    throw error;
  }
}

interface RunOptions {
  env: NodeJS.ProcessEnv;
  cwd?: string;
  onLine?: (line: string) => void;
  /** The program is killed after this time. */
  timeoutMs?: number;
}

/** The result of a program; `code` is null where it could not be started or was killed. */
interface RunResult {
  code: number | null;
  output: string;
}

/** Runs a program to its end and returns its output and errors. Never rejects: a failure is a code other than 0. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const child = spawn(command, args, {
      env: options.env,
      cwd: options.cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        options.onLine?.(line);
      });
    }
    child.once("error", (error) => resolve({ code: null, output: error.message }));
    child.once("close", (code) => resolve({ code, output: lines.join("\n") }));
  });
}

/** Runs a program that must succeed and returns its output; throws with its last lines where it fails. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code === 0) return output;
  const tail = output.split("\n").slice(-20).join("\n");
  throw new Error(`${command} ${args[0] ?? ""} ended with ${code ?? "no exit code"}:\n${tail}`);
}
