import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../../config/root.ts";
import { ensureNatsLogin, removeNatsLogin } from "../../../scripts/stack/nats-logins.ts";
import { rows } from "../../support/books.ts";
import { type Answer, Person, post } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";

/** The server API of the whole system, with keys that a person makes at a console. */

// Each command is a process of its own that joins the bus.
jest.setTimeout(120_000);
const run = promisify(execFile);
const person = "shopkeeper";
const stackDir = process.env.STACK_DIR as string;
const login = { namespace: process.env.NAMESPACE as string, role: "console", person };
let url: string;

beforeAll(async () => {
  // As `npm run operator -- add` does.
  url = (await ensureNatsLogin(stackDir, login)).busUrl;
});
afterAll(() => removeNatsLogin(stackDir, login));

function apiKey(...args: string[]) {
  const env = { ...process.env, CONSOLE_NAME: person, CONSOLE_URL: url };
  return run(process.execPath, [join(projectRoot(), "scripts/api-key.ts"), ...args], { env });
}

const ask = (key: string, path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  post(`/live/server/v1/${path}`, body, { token: key, headers });

test("a key of a console opens what its scopes say, makes users once for an idempotency key, and is closed when it is revoked", async () => {
  const made = await apiKey("create", "--name", "shop", "--scopes", "users:read,users:write");
  const key = made.stdout.trim();
  expect(key).toMatch(/^ovk_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
  expect(made.stderr).not.toContain(key);
  const [, keyId = ""] = key.split("_");
  const externalId = `shop ${randomUUID()} 😀`;
  const id = { "Idempotency-Key": `made-${randomUUID()}` };
  const wanted = { externalId, nickName: "Lin" };
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(key, "users/upsert", wanted, id)));
  const [first] = answers as [Answer<{ userId: string }>];
  expect(first).toMatchObject({ status: 200, code: 200, data: { externalId } });
  for (const answer of answers) expect(answer.data).toEqual(first.data);
  const shown = { userId: first.data.userId, externalId, nickName: "Lin", avatar: "" };
  expect((await ask(key, "users/get", { externalId })).data).toEqual(shown);
  expect((await ask(key, "users/get", { userId: first.data.userId })).data).toEqual(shown);
  expect((await ask(key, "users/upsert", { externalId }, id)).code).toBe(10_011);

  const user = await Person.login();
  const own = { userId: user.userId, nickName: expect.any(String), avatar: expect.any(String) };
  expect((await ask(key, "users/get", { userId: user.userId })).data).toEqual(own);
  expect((await ask(user.token, "users/get", { userId: user.userId })).status).toBe(401);
  expect((await post("/live/api/home/initPage", {}, { token: key })).status).toBe(401);

  expect((await apiKey("list")).stdout).toMatch(new RegExp(`${keyId}  shop  users:read,users:write  valid`));
  await apiKey("revoke", keyId);
  await eventually("the key is refused", async () => (await ask(key, "users/get", { externalId })).status === 401);
  expect((await apiKey("list")).stdout).toMatch(new RegExp(`${keyId}  shop .* REVOKED`));
  const audit = await rows<{ action: string }>("platform", "SELECT action FROM t_operator_audit WHERE params LIKE ?", [
    `%${keyId}%`,
  ]);
  expect(audit.map(({ action }) => action)).toEqual(["platform.revokeKey"]);
});

test("a console refuses scopes that do not exist, and an unknown key", async () => {
  await expect(apiKey("create", "--name", "shop", "--scopes", "everything")).rejects.toMatchObject({ code: 1 });
  await expect(apiKey("revoke", "zzzzzzzzzzzz")).rejects.toMatchObject({ code: 1 });
});
