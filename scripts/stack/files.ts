import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** The file's text; `undefined` where there is no such file. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Replaces the file in one step: a reader sees the old or the new content. Only the owner can read it. */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const temporary = temporaryName(file);
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}

/** A unique name beside the file. */
export function temporaryName(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
}
