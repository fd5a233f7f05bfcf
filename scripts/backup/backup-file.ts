import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import { finished } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { messageOf } from "../stack/wait.ts";

/** The files of a backup: only their owner can read them, and each has its sum. */

export interface FileSum {
  readonly file: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** @throws Error where there is something in the folder, which is made where it is missing */
export async function openEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const there = await readdir(folder);
  if (there.length > 0)
    throw new Error(`${folder} is not empty (${there[0]}): give each backup a new folder, nothing is overwritten`);
}

/** Writes lines to a compressed file. */
export class CompressedLines {
  private readonly zstd = createZstdCompress();
  private readonly done: Promise<void>;
  private failed: unknown;

  constructor(file: string) {
    const out = createWriteStream(file, { mode: 0o600, flags: "wx" });
    this.zstd.pipe(out);
    this.done = finished(out);
    this.done.catch((error: unknown) => {
      this.failed = error;
      this.zstd.destroy(error as Error);
    });
  }

  async write(line: string): Promise<void> {
    if (this.failed) throw this.failed;
    if (!this.zstd.write(line)) await Promise.race([once(this.zstd, "drain"), this.done]);
  }

  /** Resolves once the file is written. */
  async end(): Promise<void> {
    this.zstd.end();
    await this.done;
  }

  abandon(): void {
    this.zstd.destroy();
  }
}

/** The lines of a compressed file, without their ends. A line ends at a line feed alone, whatever a text holds. */
export async function* compressedLines(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const zstd = createZstdDecompress();
  source.on("error", (error) => zstd.destroy(error));
  let rest: Buffer[] = [];
  for await (const chunk of source.pipe(zstd) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      rest.push(chunk.subarray(from, at));
      yield Buffer.concat(rest).toString("utf8");
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString("utf8");
}

export async function sumOf(path: string): Promise<FileSum> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { file: basename(path), bytes, sha256: hash.digest("hex") };
}

/** Why a file is not as its sum says; `undefined` where it is. */
export async function faultOf(path: string, wanted: FileSum): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size !== wanted.bytes) return `${wanted.file} has ${size} bytes, the manifest says ${wanted.bytes}`;
    const { sha256 } = await sumOf(path);
    return sha256 === wanted.sha256 ? undefined : `${wanted.file} is damaged: its checksum is another one`;
  } catch (error) {
    return `${wanted.file} cannot be read: ${messageOf(error)}`;
  }
}
