import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceNames } from "../../broker/launch.ts";
import { useNodeEnv } from "../../scripts/local-env.ts";
import { readStackEnv, useStackEnv, writeStackEnv } from "../../scripts/stack/env-file.ts";

let dir: string;
/** A folder that is not there yet, as in a container. */
let stackDir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-node-env-"));
  stackDir = join(dir, "stack");
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** The keys that nodes of each service need; the others need none. */
const keysOf: Readonly<Record<string, string>> = {
  user: "TOKEN_KEYS",
  "api-gateway": "TOKEN_KEYS",
  gift: "GIFT_KEYS",
  payment: "PAY_KEYS",
  wallet: "PAY_KEYS",
};
const allKeys = ["TOKEN_KEYS", "GIFT_KEYS", "PAY_KEYS"];
const keysWith = (value: string) => Object.fromEntries(allKeys.map((name) => [name, value]));

describe("the environment of a node", () => {
  test.each(serviceNames.filter((name) => !keysOf[name]))(
    "of %s has no keys, wherever they came from, and nothing is written for it",
    async (name) => {
      const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local" });
      expect(existsSync(stackDir)).toBe(false);
      await writeStackEnv(stackDir, { ...keysWith("k1:kept"), API_URL: "http://127.0.0.1:1" });
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local", API_URL: "http://127.0.0.1:1" });
    },
  );

  test.each(Object.entries(keysOf))("of %s keeps %s that are given, and no other keys", async (name, keys) => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
    await useNodeEnv([name], stackDir, env);
    expect(env).toEqual({ PROFILE: "local", [keys]: "k1:given" });
    expect(existsSync(stackDir)).toBe(false);
  });

  test("with every service keeps all keys that are given, and nothing is written", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "local", ...keysWith("k1:given") });
    expect(existsSync(stackDir)).toBe(false);
  });

  test.each(Object.entries(keysOf))(
    "of %s without %s gets those that are kept, which are made once",
    async (name, keys) => {
      const envs: NodeJS.ProcessEnv[] = [{ PROFILE: "local" }, { PROFILE: "local", [keys]: "" }];
      for (const env of envs) await useNodeEnv([name], stackDir, env);
      const kept = readStackEnv(stackDir);
      expect(Object.keys(kept)).toEqual([keys]);
      expect(kept[keys]).toMatch(/^local:[A-Za-z0-9_-]{43}$/);
      expect(envs.map((env) => env[keys])).toEqual([kept[keys], kept[keys]]);
    },
  );

  test("in production no keys are made", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "production" };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "production" });
    expect(existsSync(stackDir)).toBe(false);
  });
});

test("the environment of a command has the system's addresses and no keys; what is set comes first", async () => {
  await writeStackEnv(stackDir, { ...keysWith("k1:kept"), API_URL: "http://127.0.0.1:1", PROFILE: "local" });
  const env: NodeJS.ProcessEnv = { ...keysWith("k1:given"), PROFILE: "production" };
  useStackEnv(stackDir, env);
  expect(env).toEqual({ PROFILE: "production", API_URL: "http://127.0.0.1:1" });
});
