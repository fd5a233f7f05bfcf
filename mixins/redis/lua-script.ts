import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";

/**
 * The text of a Lua script for Redis, out of `*.lua` files whose paths are relative to the project. Several files make
 * one script: functions and locals stand in a file before the script that uses them. Each file says in its header what
 * it is for, its KEYS and ARGV and what it replies; comments are left out of the text, since it is sent with each call.
 */
export function luaScript(...files: readonly string[]): string {
  return files
    .flatMap((file) => readFileSync(join(projectRoot(), file), "utf8").split("\n"))
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("--"))
    .join("\n");
}
