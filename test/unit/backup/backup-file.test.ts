import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompressedLines,
  compressedLines,
  faultOf,
  openEmptyFolder,
  sumOf,
} from "../../../scripts/backup/backup-file.ts";
import { readManifest } from "../../../scripts/backup/manifest.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "backup-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("lines come back as they were written, with separators of other kinds in them, and only the owner reads the file", async () => {
  const file = join(folder, "a.sql.zst");
  const lines = ["first", "with \u2028 and \u2029 and \r in it", "礼".repeat(100_000), "last"];
  const out = new CompressedLines(file);
  for (const line of lines) await out.write(`${line}\n`);
  await out.end();
  const read: string[] = [];
  for await (const line of compressedLines(file)) read.push(line);
  expect(read).toEqual(lines);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a file that is damaged, cut or missing is told by its sum", async () => {
  const file = join(folder, "part");
  writeFileSync(file, "content");
  const sum = await sumOf(file);
  expect(await faultOf(file, sum)).toBeUndefined();
  writeFileSync(file, "kontent");
  expect(await faultOf(file, sum)).toMatch(/damaged/);
  appendFileSync(file, "more");
  expect(await faultOf(file, sum)).toMatch(/11 bytes, the manifest says 7/);
  rmSync(file);
  expect(await faultOf(file, sum)).toMatch(/cannot be read/);
});

test("a compressed file that was cut does not end as if it were whole", async () => {
  const file = join(folder, "cut.zst");
  const out = new CompressedLines(file);
  for (let n = 0; n < 10_000; n++) await out.write(`${Math.random()}\n`);
  await out.end();
  const whole = statSync(file).size;
  const { truncate } = await import("node:fs/promises");
  await truncate(file, Math.floor(whole / 2));
  const readAll = async () => {
    for await (const line of compressedLines(file)) void line;
  };
  await expect(readAll()).rejects.toThrow();
});

test("a folder with something in it is refused", async () => {
  await openEmptyFolder(join(folder, "new"));
  writeFileSync(join(folder, "new", "x"), "");
  await expect(openEmptyFolder(join(folder, "new"))).rejects.toThrow(/not empty/);
});

test("a folder without a manifest, or with one that is no manifest, is no backup", async () => {
  await expect(readManifest(folder)).rejects.toThrow(/no backup, or one that did not come to its end/);
  writeFileSync(join(folder, "manifest.json"), "{");
  await expect(readManifest(folder)).rejects.toThrow(/no JSON/);
  writeFileSync(join(folder, "manifest.json"), "{}");
  await expect(readManifest(folder)).rejects.toThrow(/not usable: format/);
});
