import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** The file's text; undefined when there is no such file. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts the text in place in one step: a reader sees the old file or the new one. Readable by the owner alone. */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const temporary = temporaryName(file);
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}

/** A name beside the file that nobody else uses. */
export function temporaryName(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
}
