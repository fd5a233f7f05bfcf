import { crc32, deflateRawSync } from "node:zlib";

/** Every character of GBK's two-byte range by its code, turned round: Node decodes GBK and does not encode it. */
const codes = new Map<string, number>();
const decoder = new TextDecoder("gbk");
for (let lead = 0x81; lead <= 0xfe; lead++)
  for (let trail = 0x40; trail <= 0xfe; trail++)
    codes.set(decoder.decode(Buffer.from([lead, trail])), (lead << 8) | trail);

/** Text as a bill's bytes. */
export function gbk(text: string): Buffer {
  const bytes = [...text].flatMap((character) => {
    const code = codes.get(character);
    return character.charCodeAt(0) < 0x80
      ? [character.charCodeAt(0)]
      : [(code as number) >> 8, (code as number) & 0xff];
  });
  return Buffer.from(bytes);
}

/** A ZIP archive of files, deflated. */
export function zip(files: readonly Buffer[]): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [index, file] of files.entries()) {
    const name = Buffer.from(`bill-${index}.csv`);
    const packed = deflateRawSync(file);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(file), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(file.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), shared, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 0]), shared, rest, name]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
