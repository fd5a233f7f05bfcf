import { inflateRawSync } from "node:zlib";

const endMark = 0x06054b50;
const entryMark = 0x02014b50;
const stored = 0;
const deflated = 8;

/**
 * The contents of a ZIP archive, without the names, which have any encoding. Together they may have `maxBytes` bytes.
 * @throws RangeError where it is no archive, or too large.
 */
export function unzip(archive: Buffer, maxBytes: number): Buffer[] {
  try {
    return filesOf(archive, maxBytes);
  } catch (error) {
    // The archive has offsets beyond its end.
    if ((error as { code?: unknown }).code === "ERR_OUT_OF_RANGE") throw new RangeError("a broken ZIP archive");
    throw error;
  }
}

function filesOf(archive: Buffer, maxBytes: number): Buffer[] {
  let end = archive.length - 22;
  while (end >= 0 && archive.readUInt32LE(end) !== endMark) end--;
  if (end < 0) throw new RangeError("no ZIP archive");
  const files: Buffer[] = [];
  let room = maxBytes;
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== entryMark) throw new RangeError("a broken ZIP archive");
    const file = fileOf(archive, at, room);
    room -= file.length;
    files.push(file);
    at += 46 + archive.readUInt16LE(at + 28) + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

function fileOf(archive: Buffer, entry: number, room: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const size = archive.readUInt32LE(entry + 20);
  const local = archive.readUInt32LE(entry + 42);
  const begin = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(begin, begin + size);
  if (archive.readUInt32LE(entry + 24) > room) throw new RangeError("a ZIP archive that is too large");
  if (method === stored) return packed;
  if (method !== deflated) throw new RangeError("a ZIP archive packed in another way");
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(room, 1) });
  } catch {
    throw new RangeError("a ZIP archive that does not unpack");
  }
}
