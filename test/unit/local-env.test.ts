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

const withTokenKeys = ["user", "api-gateway"];

describe("the environment of a node", () => {
  test.each(serviceNames.filter((name) => !withTokenKeys.includes(name)))(
    "of %s has no keys of login tokens, wherever they came from, and nothing is written for it",
    async (name) => {
      const env: NodeJS.ProcessEnv = { PROFILE: "local", TOKEN_KEYS: "k1:given" };
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local" });
      expect(existsSync(stackDir)).toBe(false);
      await writeStackEnv(stackDir, { TOKEN_KEYS: "k1:kept", API_URL: "http://127.0.0.1:1" });
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local", API_URL: "http://127.0.0.1:1" });
    },
  );

  test.each([...withTokenKeys, "all"])("of %s keeps keys that are given, and nothing is written", async (name) => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", TOKEN_KEYS: "k1:given" };
    await useNodeEnv(name === "all" ? serviceNames : ["wallet", name], stackDir, env);
    expect(env.TOKEN_KEYS).toBe("k1:given");
    expect(existsSync(stackDir)).toBe(false);
  });

  test.each(withTokenKeys)("of %s without keys gets those that are kept, which are made once", async (name) => {
    const envs: NodeJS.ProcessEnv[] = [{ PROFILE: "local" }, { PROFILE: "local", TOKEN_KEYS: "" }];
    for (const env of envs) await useNodeEnv([name], stackDir, env);
    const { TOKEN_KEYS } = readStackEnv(stackDir);
    expect(TOKEN_KEYS).toMatch(/^local:[A-Za-z0-9_-]{43}$/);
    expect(envs.map((env) => env.TOKEN_KEYS)).toEqual([TOKEN_KEYS, TOKEN_KEYS]);
  });

  test("in production no keys are made", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "production" };
    await useNodeEnv(["user"], stackDir, env);
    expect(env).toEqual({ PROFILE: "production" });
    expect(existsSync(stackDir)).toBe(false);
  });
});

test("the environment of a command has the system's addresses and no keys of login tokens; what is set comes first", async () => {
  await writeStackEnv(stackDir, { TOKEN_KEYS: "k1:kept", API_URL: "http://127.0.0.1:1", PROFILE: "local" });
  const env: NodeJS.ProcessEnv = { TOKEN_KEYS: "k1:given", PROFILE: "production" };
  useStackEnv(stackDir, env);
  expect(env).toEqual({ PROFILE: "production", API_URL: "http://127.0.0.1:1" });
});
