import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";

/**
 * The text of a Lua script for Redis, from `*.lua` files whose paths are relative to the project. Several files make one
 * script; shared functions come in a file before the script that uses them. The header of each file has its purpose,
 * KEYS, ARGV and replies. Comments are removed from the text, which is sent with each call.
 */
export function luaScript(...files: readonly string[]): string {
  return files
    .flatMap((file) => readFileSync(join(projectRoot(), file), "utf8").split("\n"))
    .filter((line) => line.trim() !== "" && !line.trimStart().startsWith("--"))
    .join("\n");
}
