import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busUserOf, natsUser } from "../../broker/nats-names.ts";
import { consolesOf, forgetConsole, keepConsole, personOf, useConsoleLogin } from "../../scripts/console-login.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "consoles-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

test("without a login a console says how to get one", () => {
  expect(() => useConsoleLogin(dir, undefined, {})).toThrow("npm run operator -- add NAME");
  keepConsole(dir, "another", "alice", "nats://a:b@h:1");
  expect(() => useConsoleLogin(dir, undefined, {})).toThrow("npm run operator -- add NAME");
  expect(() => useConsoleLogin(dir, "bob", { NAMESPACE: "another" })).toThrow("npm run operator -- add bob");
});

test("the only login is used; of several the one that is named", () => {
  const file = keepConsole(dir, "ovation", "alice", "nats://alice:a@h:1");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const env: NodeJS.ProcessEnv = { NATS_URL: "nats://somebody@h:1" };
  expect([useConsoleLogin(dir, undefined, env), env.NATS_URL]).toEqual(["alice", "nats://alice:a@h:1"]);
  keepConsole(dir, "ovation", "bob", "nats://bob:b@h:1");
  expect(() => useConsoleLogin(dir, undefined, env)).toThrow("alice, bob");
  expect([useConsoleLogin(dir, "bob", env), env.NATS_URL]).toEqual(["bob", "nats://bob:b@h:1"]);
  forgetConsole(dir, "ovation", "bob");
  expect(consolesOf(dir, "ovation")).toEqual(["alice"]);
});

test("a login of the environment takes precedence, with its person's name", () => {
  keepConsole(dir, "ovation", "alice", "nats://alice:a@h:1");
  const env: NodeJS.ProcessEnv = { CONSOLE_URL: "nats://carol:c@h:1", CONSOLE_NAME: "carol" };
  expect([useConsoleLogin(dir, undefined, env), env.NATS_URL]).toEqual(["carol", "nats://carol:c@h:1"]);
  expect(() => useConsoleLogin(dir, undefined, { CONSOLE_URL: "nats://carol:c@h:1" })).toThrow("a name is");
});

test("no two names have one user at the bus", () => {
  const user = (person: string) => busUserOf(natsUser("console", "ovation", person));
  expect(user("anna-bus")).toBe(user("anna"));
  expect(() => personOf("anna-bus")).toThrow("does not end with -bus");
  for (const name of ["anna-busy", "bus", "anna-bus-2"]) expect(personOf(name)).toBe(name);
});

test("a name is one token of a subject and of a file", () => {
  for (const name of ["alice", "a", "anna-2", "a".repeat(40)]) expect(personOf(name)).toBe(name);
  for (const name of [undefined, "", "Alice", "a.b", "a/b", "..", "*", ">", "a b", "-a", "1a", "a".repeat(41)])
    expect(() => personOf(name)).toThrow("a name is");
});
