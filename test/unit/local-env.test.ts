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

/** The keys, and the services that need them. */
const keys: [setting: string, needing: string[]][] = [
  ["TOKEN_KEYS", ["user", "api-gateway"]],
  ["BOOK_KEYS", ["wallet", "auditor"]],
];
const keyless = serviceNames.filter((name) => !keys.some(([, needing]) => needing.includes(name)));

describe.each(keys)("of %s, the environment of a node", (setting, needing) => {
  test.each(serviceNames.filter((name) => !needing.includes(name)))(
    "with %s has nothing, wherever it came from",
    async (name) => {
      const env: NodeJS.ProcessEnv = { PROFILE: "production", [setting]: "k1:given" };
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "production" });
      await writeStackEnv(stackDir, { [setting]: "k1:kept", API_URL: "http://127.0.0.1:1" });
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "production", API_URL: "http://127.0.0.1:1" });
    },
  );

  test.each(needing)("with %s keeps what is given, and nothing is written", async (name) => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", [setting]: "k1:given" };
    await useNodeEnv(["notification", name], stackDir, env);
    expect(env[setting]).toBe("k1:given");
    expect(existsSync(stackDir)).toBe(false);
  });

  test.each(needing)("with %s and without keys gets those that are kept, which are made once", async (name) => {
    const envs: NodeJS.ProcessEnv[] = [{ PROFILE: "local" }, { PROFILE: "local", [setting]: "" }];
    for (const env of envs) await useNodeEnv([name], stackDir, env);
    const made = readStackEnv(stackDir)[setting];
    expect(made).toMatch(/^local:[A-Za-z0-9_-]{43}$/);
    expect(envs.map((env) => env[setting])).toEqual([made, made]);
  });
});

describe("the environment of a node", () => {
  test("with every service keeps all keys that are given, and nothing is written", async () => {
    const given = Object.fromEntries(keys.map(([setting]) => [setting, "k1:given"]));
    const env: NodeJS.ProcessEnv = { PROFILE: "local", ...given };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "local", ...given });
    expect(existsSync(stackDir)).toBe(false);
  });

  test.each(keyless)("with %s has no key, and nothing is written for it", async (name) => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local" };
    await useNodeEnv([name], stackDir, env);
    expect(env).toEqual({ PROFILE: "local" });
    expect(existsSync(stackDir)).toBe(false);
  });

  test("in production no keys are made", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "production" };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "production" });
    expect(existsSync(stackDir)).toBe(false);
  });
});

test("the environment of a command has the system's addresses and no keys; what is set comes first", async () => {
  await writeStackEnv(stackDir, {
    TOKEN_KEYS: "k1:kept",
    BOOK_KEYS: "b1:kept",
    API_URL: "http://127.0.0.1:1",
    PROFILE: "local",
  });
  const env: NodeJS.ProcessEnv = { TOKEN_KEYS: "k1:given", PROFILE: "production" };
  useStackEnv(stackDir, env);
  expect(env).toEqual({ PROFILE: "production", API_URL: "http://127.0.0.1:1" });
});
