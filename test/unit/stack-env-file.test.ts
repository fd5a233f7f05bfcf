import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptInStackEnv, readStackEnv, writeStackEnv } from "../../scripts/stack/env-file.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-env-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("no file reads as no values", () => {
  expect(readStackEnv(dir)).toEqual({});
});

test("a write merges: it adds, replaces, removes what is undefined and keeps the rest", async () => {
  await writeStackEnv(dir, { NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:2", PROFILE: "local" });
  await writeStackEnv(dir, { REDIS_URL: "redis://127.0.0.1:3", API_URL: "http://127.0.0.1:8088", PROFILE: undefined });
  expect(readStackEnv(dir)).toEqual({
    NATS_URL: "nats://127.0.0.1:1",
    REDIS_URL: "redis://127.0.0.1:3",
    API_URL: "http://127.0.0.1:8088",
  });
});

test("a value may hold equals signs and hashes", async () => {
  await writeStackEnv(dir, { MYSQL_URL: "mysql://u:p=#@127.0.0.1:1/?a=b" });
  expect(readStackEnv(dir).MYSQL_URL).toBe("mysql://u:p=#@127.0.0.1:1/?a=b");
});

test("writers at the same moment lose nothing of each other", async () => {
  const keys = Array.from({ length: 12 }, (_, i) => `KEY_${i}`);
  await Promise.all(keys.map((key) => writeStackEnv(dir, { [key]: key })));
  expect(Object.keys(readStackEnv(dir)).sort()).toEqual([...keys].sort());
});

test("a key that is made once is the same for all who ask, also at the same moment and later", async () => {
  await writeStackEnv(dir, { API_URL: "x" });
  let made = 0;
  const ask = () => keptInStackEnv(dir, "TOKEN_KEYS", () => `key-${++made}`);
  expect(new Set(await Promise.all(Array.from({ length: 8 }, ask)))).toEqual(new Set(["key-1"]));
  expect(readStackEnv(dir)).toEqual({ API_URL: "x", TOKEN_KEYS: "key-1" });
  expect(await ask()).toBe("key-1");
});

test("the file is the owner's alone, and no temporary file stays", async () => {
  await writeStackEnv(dir, { API_URL: "http://127.0.0.1:1" });
  expect(statSync(join(dir, "env")).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
});

test("comments and empty lines are passed over, another kind of line is refused by its number", () => {
  writeFileSync(join(dir, "env"), "# note\n\nAPI_URL=http://127.0.0.1:1\r\n");
  expect(readStackEnv(dir)).toEqual({ API_URL: "http://127.0.0.1:1" });
  writeFileSync(join(dir, "env"), "API_URL=x\nnot a setting\n");
  expect(() => readStackEnv(dir)).toThrow(/line 2 is not KEY=VALUE/);
});

test("a key or value that would break the file is refused, and the file stays as it was", async () => {
  await writeStackEnv(dir, { API_URL: "x" });
  const before = readFileSync(join(dir, "env"), "utf8");
  await expect(writeStackEnv(dir, { "a b": "x" })).rejects.toThrow(/cannot be a key/);
  await expect(writeStackEnv(dir, { IM_URL: "x\nMYSQL_URL=y" })).rejects.toThrow(/line break/);
  expect(readFileSync(join(dir, "env"), "utf8")).toBe(before);
});
