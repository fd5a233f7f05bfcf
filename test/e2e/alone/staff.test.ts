import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { failures } from "../../../config/errors.ts";
import { projectRoot } from "../../../config/root.ts";
import { ensureNatsLogin, removeNatsLogin } from "../../../scripts/stack/nats-logins.ts";
import { type Answer, adminUrl, operate, post } from "../../support/client.ts";
import { codeOf, goodPassword, secretIn } from "../../support/staff.ts";

/** Persons of the staff on the whole system: made at a console, enrolled and at work over HTTP. */

// Each command is a process of its own that joins the bus.
jest.setTimeout(120_000);
const run = promisify(execFile);
const person = "personnel";
const login = { namespace: process.env.NAMESPACE as string, role: "console", person };
const stackDir = process.env.STACK_DIR as string;
let url: string;

beforeAll(async () => {
  // As `npm run operator -- add` does.
  url = (await ensureNatsLogin(stackDir, login)).busUrl;
});
afterAll(() => removeNatsLogin(stackDir, login));

function operator(...args: string[]) {
  const env = { ...process.env, CONSOLE_NAME: person, CONSOLE_URL: url };
  return run(process.execPath, [join(projectRoot(), "scripts/operator.ts"), ...args], { env });
}

interface Shown {
  name: string;
  role: string;
  csrf: string;
}

/** A browser: it keeps the cookie and knows the CSRF token of the page. */
class Browser {
  private cookie = "";
  csrf = "";

  async post<T = Record<string, unknown>>(path: string, body: object = {}): Promise<Answer<T>> {
    const headers = { cookie: this.cookie, "x-csrf-token": this.csrf };
    const answer = await post<T>(`/live/admin/${path}`, body, { headers, base: adminUrl() });
    const [set] = answer.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(";")[0] as string;
    return answer;
  }
}

test("a person is invited at a console, enrols, works, and is out at once when she is reset", async () => {
  const name = `alice-${randomBytes(3).toString("hex")}`;
  const made = await operator("add", name, "--role", "admin");
  const code = made.stdout.trim();
  expect(made.stderr).toContain("/admin/");
  expect((await operator("list")).stdout).toMatch(new RegExp(`${name} +admin +invited +never +0`));

  const browser = new Browser();
  const begun = await browser.post<{ totpUri: string }>("enrol/begin", { name, code });
  const [secret, password] = [secretIn(begun.data.totpUri), goodPassword()];
  const finish = { name, code, password, totp: codeOf(secret) };
  expect(await browser.post("enrol/finish", { ...finish, password: "short" })).toMatchObject({ status: 400 });
  const enrolled = await browser.post<Shown>("enrol/finish", finish);
  expect(enrolled).toMatchObject({ code: 200, data: { name, role: "admin" } });
  expect(enrolled.headers.get("set-cookie")).toMatch(
    /^ovation_staff=[\w-]{43}; Path=\/; Max-Age=4\d{4}; HttpOnly; SameSite=Strict$/,
  );
  expect(JSON.stringify(enrolled.data)).not.toContain(
    /=([\w-]{43});/.exec(enrolled.headers.get("set-cookie") ?? "")?.[1],
  );

  // Without the token of the page a cookie alone does nothing.
  const other = `bob-${randomBytes(3).toString("hex")}`;
  expect(await browser.post("persons/add", { name: other, role: "viewer" })).toMatchObject({ status: 403 });
  browser.csrf = enrolled.data.csrf;
  expect(await browser.post("session")).toMatchObject({ code: 200, data: { name, csrf: browser.csrf } });
  const added = await browser.post<{ setupCode: string }>("persons/add", { name: other, role: "viewer" });
  expect(added).toMatchObject({ code: 200, data: { setupCode: expect.stringMatching(/^[\w-]{27}$/) } });
  expect(await browser.post("mySessions/list")).toMatchObject({ data: { list: [{ current: true }] } });
  const audit = await browser.post("audit/list", { person: name, route: "/live/admin/persons/add" });
  expect(audit.data).toMatchObject({ list: [{ person: name, about: other, outcome: "succeeded" }] });

  const viewer = new Browser();
  const uri = await viewer.post<{ totpUri: string }>("enrol/begin", { name: other, code: added.data.setupCode });
  const theirs = secretIn(uri.data.totpUri);
  const setup = { name: other, code: added.data.setupCode, password: goodPassword(), totp: codeOf(theirs) };
  viewer.csrf = (await viewer.post<Shown>("enrol/finish", setup)).data.csrf;
  for (const path of ["persons/list", "persons/add", "persons/role", "persons/reset", "audit/list"])
    expect([path, await viewer.post(path, { name: other, role: "admin" })]).toEqual([
      path,
      expect.objectContaining({ status: 403, code: 100003 }),
    ]);

  const wrong = await post("/live/admin/login", { name, password: "x", totp: "000000" }, { base: adminUrl() });
  expect(wrong).toMatchObject({ status: 200, code: 501 });
  // A code is used once; no password was asked for, so the text names the code.
  for (const path of ["enrol/begin", "enrol/finish"])
    expect((await new Browser().post(path, finish)).msg).toBe(failures.setupCodeWrong.zh);
  await operator("reset", name);
  expect(await browser.post("session")).toMatchObject({ status: 401, code: 100002 });
  await operator("disable", name);
  expect((await operator("list")).stdout).toMatch(new RegExp(`${name} +admin +disabled`));
  await expect(operator("disable", name)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("personState"),
  });
  await expect(operator("promote", name)).rejects.toMatchObject({ code: 2 });
  // What a console did is in the service's own audit, in its person's name.
  const calls = await operate<{ list: object[] }>("audit/list", { person: name });
  expect(JSON.stringify(calls.data)).not.toContain(password);
});
