import type { ServiceBroker } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call } from "../../../services/contracts.ts";
import type { PasswordHashes } from "../../../services/staff/passwords.ts";
import { asOperator, codeOf, enrolledPerson, forgetSteps, goodPassword, secretIn, staff } from "../../support/staff.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** Logins, enrolments and sessions on two nodes, with the real database. */

jest.setTimeout(120_000);

let caller: ServiceBroker;
let one: ServiceBroker;
let nodes: [string, string];
let database: Database;

beforeAll(async () => {
  one = await startNode("staff-1", [staff]);
  const other = await startNode("staff-2", [staff]);
  caller = await startNode("caller", []);
  nodes = [one.nodeID, other.nodeID];
  for (const nodeID of nodes) await waitForNode(caller, "staff", nodeID);
  database = new Database(databaseName("staff"), { connections: 2 });
});
afterAll(async () => {
  await database?.close();
  await stopAll();
});

/** What became of a call: `done`, or the failure's name. */
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => failureName(error) ?? error,
  );
const at = (node: 0 | 1) => ({ nodeID: nodes[node] });
const wrong = { password: "not the right one", totp: "000000" };

describe("a login", () => {
  test("opens a session of 12 hours that is known on every node by its token alone", async () => {
    const { name, login } = await enrolledPerson(caller, "support");
    expect(login).toMatchObject({ name, role: "support", rights: expect.arrayContaining(["refund"]) });
    expect(Math.abs(Date.parse(login.expiresTime) - Date.now() - limits.staff.sessionMs)).toBeLessThan(60_000);
    const { session, ...shown } = login;
    for (const node of [0, 1] as const)
      expect(await call(caller, "staff.session", { session }, at(node))).toEqual(shown);
    const kept = await database.query("SELECT * FROM t_staff_session WHERE name = ?", [name]);
    expect(JSON.stringify(kept)).not.toContain(session);
    for (const other of ["", shown.csrf, `${session}a`, "token:", "token:nothing"])
      expect(await outcomeOf(call(caller, "staff.session", { session: other }))).toBe("notLoggedIn");
  });

  test("fails in one way for a wrong name, password or code", async () => {
    const { name, password, secret } = await enrolledPerson(caller, "viewer");
    const address = "10.1.0.1";
    const totp = codeOf(secret);
    for (const params of [
      { name, password, totp: "000000" },
      { name, password: wrong.password, totp },
      { name: "nobody", password, totp },
    ])
      expect(await outcomeOf(call(caller, "staff.login", { ...params, address }))).toBe("staffLoginWrong");
    expect(await outcomeOf(call(caller, "staff.login", { name, password, totp, address }))).toBe("done");
  });

  test("with one code is done once, also at the same moment on two nodes", async () => {
    const { name, password, secret } = await enrolledPerson(caller, "viewer");
    const login = { name, password, totp: codeOf(secret), address: "10.0.0.1" };
    const both = ([0, 1] as const).map((node) => outcomeOf(call(caller, "staff.login", login, at(node))));
    expect((await Promise.all(both)).sort()).toEqual(["done", "staffLoginWrong"]);
    expect(await outcomeOf(call(caller, "staff.login", login))).toBe("staffLoginWrong");
    // A code of an earlier step is no new one.
    const earlier = { ...login, totp: codeOf(secret, -1) };
    expect(await outcomeOf(call(caller, "staff.login", earlier))).toBe("staffLoginWrong");
    const { list } = await call(caller, "staff.persons", asOperator());
    expect(list.find((one) => one.name === name)?.sessions).toBe(2);
  });

  test("is slowed after a thousand wrong ones from many addresses; the right one from a known address gets in", async () => {
    const { name, password, secret } = await enrolledPerson(caller, "admin", { address: "10.2.0.1" });
    const outcomes: unknown[] = [];
    for (let round = 0; round < 50; round++) {
      const tries = Array.from({ length: 20 }, (_, one) =>
        outcomeOf(call(caller, "staff.login", { name, ...wrong, address: `10.66.${round}.${one % 2}` })),
      );
      outcomes.push(...(await Promise.all(tries)));
    }
    expect(outcomes).toHaveLength(1_000);
    const checked = outcomes.filter((outcome) => outcome === "staffLoginWrong").length;
    expect(outcomes.filter((outcome) => outcome === "tooMany")).toHaveLength(1_000 - checked);
    // Without slowing all of them are.
    expect(checked).toBeLessThan(100);
    // Between two pauses the right one would be checked: one more wrong one begins the next.
    let more = 0;
    const isChecked = async () => {
      const address = `10.68.0.${++more % 200}`;
      return (await outcomeOf(call(caller, "staff.login", { name, ...wrong, address }))) === "staffLoginWrong";
    };
    await eventually("a wrong one is checked", isChecked, 60_000);
    const login = { name, password, totp: codeOf(secret) };
    expect(await outcomeOf(call(caller, "staff.login", { ...login, address: "10.67.0.1" }, at(1)))).toBe("tooMany");
    expect(await outcomeOf(call(caller, "staff.login", { ...login, address: "10.2.0.1" }, at(1)))).toBe("done");
  });

  test("is slowed by address, whoever is named; what is counted outlives nodes, and a pause says how long it is", async () => {
    const address = "2001:db8:1:2::";
    for (let tried = 0; tried < limits.staff.freeAddressFailures; tried++) {
      // Of one IPv6 client, who can choose among these addresses.
      const params = { name: `nobody-${tried}`, ...wrong, address: `${address}${tried + 1}` };
      expect(await outcomeOf(call(caller, "staff.login", params, at(0)))).toBe("staffLoginWrong");
    }
    await database.run("UPDATE t_staff_attempt SET failures = 24, failed_time = UTC_TIMESTAMP(3) WHERE kind = 2");
    const refused = call(caller, "staff.login", { name: "another", ...wrong, address: `${address}ffff` }, at(1));
    await expect(refused).rejects.toMatchObject({ type: "tooMany", data: { waitMs: expect.any(Number) } });
    await database.run("DELETE FROM t_staff_attempt WHERE kind = 2");
  });

  test("that is right ends the count of its person and address, and no try within a pause is counted", async () => {
    const { name, password, secret } = await enrolledPerson(caller, "viewer", { address: "10.3.0.1" });
    const address = "10.3.0.1";
    for (let tried = 0; tried < limits.staff.freePairFailures; tried++)
      expect(await outcomeOf(call(caller, "staff.login", { name, ...wrong, address }))).toBe("staffLoginWrong");
    const count = async () => {
      const rows = await database.query<{ failures: number }>(
        "SELECT failures FROM t_staff_attempt WHERE kind = 1 AND name = ? AND address = ?",
        [name, address],
      );
      return rows.map(({ failures }) => Number(failures));
    };
    const counted = await count();
    await database.run(
      "UPDATE t_staff_attempt SET failures = 7, failed_time = UTC_TIMESTAMP(3) + INTERVAL 60 SECOND WHERE name = ?",
      [name],
    );
    const login = { name, password, totp: codeOf(secret), address };
    expect(await outcomeOf(call(caller, "staff.login", login))).toBe("tooMany");
    expect([counted, await count()]).toEqual([[limits.staff.freePairFailures], [7]]);
    // The pause is over: it was none that lasts.
    await database.run(
      "UPDATE t_staff_attempt SET failed_time = UTC_TIMESTAMP(3) - INTERVAL 20 SECOND WHERE name = ?",
      [name],
    );
    expect(await outcomeOf(call(caller, "staff.login", login))).toBe("done");
    expect(await count()).toEqual([]);
  });
});

test("a try for which there was no place to check the password is not counted, and those before it stay", async () => {
  const { name, password, secret } = await enrolledPerson(caller, "viewer");
  const attempts = () =>
    database.query<{ kind: number; failures: number }>(
      "SELECT kind, failures FROM t_staff_attempt WHERE name = ? ORDER BY kind",
      [name],
    );
  const counted = async () => (await attempts()).map(({ kind, failures }) => [Number(kind), Number(failures)]);
  const login = { name, password, totp: codeOf(secret), address: "10.8.0.1" };
  expect(await outcomeOf(call(caller, "staff.login", { ...login, totp: "000000" }, at(0)))).toBe("staffLoginWrong");
  const failedTimes = () => database.query("SELECT kind, failed_time FROM t_staff_attempt WHERE name = ?", [name]);
  const failed = await failedTimes();
  const service = one.getLocalService("staff") as unknown as { hashes: PasswordHashes };
  const full = jest.spyOn(service.hashes, "matches").mockRejectedValue(fail("tooMany"));
  expect(await outcomeOf(call(caller, "staff.login", login, at(0)))).toBe("tooMany");
  full.mockRejectedValue(fail("unavailable"));
  expect(await outcomeOf(call(caller, "staff.login", login, at(0)))).toBe("unavailable");
  full.mockRestore();
  expect(await counted()).toEqual([
    [1, 1],
    [3, 1],
  ]);
  // No pause is renewed by it.
  expect(await failedTimes()).toEqual(failed);
  expect(await outcomeOf(call(caller, "staff.login", login, at(0)))).toBe("done");
});

describe("an enrolment", () => {
  async function invited(name: string) {
    const { setupCode: code, ...added } = await call(caller, "staff.addPerson", {
      ...{ name, role: "viewer", ...asOperator() },
    });
    expect(Math.abs(Date.parse(added.expiresTime) - Date.now() - limits.staff.setupCodeMs)).toBeLessThan(60_000);
    const { totpUri } = await call(caller, "staff.enrolBegin", { name, code, address: "10.4.0.1" });
    return { name, code, totpUri, address: "10.4.0.1", password: goodPassword() };
  }

  test("needs the setup code, a good password and the app's first code, and consumes the code", async () => {
    const { totpUri, ...person } = await invited("enrol-1");
    const totp = codeOf(secretIn(totpUri));
    const finish = (changed: object) =>
      outcomeOf(call(caller, "staff.enrolFinish", { ...person, totp, ...changed } as never));
    expect(await finish({ code: "another" })).toBe("staffLoginWrong");
    expect(await finish({ name: "nobody" })).toBe("staffLoginWrong");
    expect(await finish({ password: "enrol-1enrol-1" })).toBe("passwordWeak");
    expect(await finish({ totp: "000000" })).toBe("totpWrong");
    // Not yet: an invited person has no password.
    expect(await outcomeOf(call(caller, "staff.login", { ...person, totp }))).toBe("staffLoginWrong");
    await database.run("DELETE FROM t_staff_attempt WHERE address = '10.4.0.1'");
    expect((await Promise.all([finish({}), finish({})])).sort()).toEqual(["done", "staffLoginWrong"]);
    const begin = call(caller, "staff.enrolBegin", { name: "enrol-1", code: person.code, address: "10.4.0.2" });
    expect(await outcomeOf(begin)).toBe("staffLoginWrong");
    const kept = await database.query("SELECT * FROM t_staff_person WHERE name = 'enrol-1'");
    for (const secret of [person.password, person.code, secretIn(totpUri)])
      expect(JSON.stringify(kept)).not.toContain(secret);
  });

  test("counts with the secret of its last beginning alone, also of many at once: who began it first knows none", async () => {
    const { totpUri, ...person } = await invited("enrol-4");
    const begin = () => call(caller, "staff.enrolBegin", { name: "enrol-4", code: person.code, address: "10.4.0.2" });
    const secrets = (await Promise.all([begin(), begin(), begin()])).map((begun) => secretIn(begun.totpUri));
    const last = secretIn((await begin()).totpUri);
    expect(new Set([secretIn(totpUri), ...secrets, last]).size).toBe(5);
    const finish = (secret: string) =>
      outcomeOf(call(caller, "staff.enrolFinish", { ...person, totp: codeOf(secret) }));
    expect([await finish(secretIn(totpUri)), await finish(secrets[0] as string)]).toEqual(["totpWrong", "totpWrong"]);
    expect(await finish(last)).toBe("done");
  });

  test("is slowed by nobody's tries where the setup code is right; a wrong one counts, of its address alone", async () => {
    const { totpUri, ...person } = await invited("enrol-5");
    const { name, address } = person;
    const inPause = "failures = 40, failed_time = UTC_TIMESTAMP(3)";
    // Of the address there may be one: a try of the tests before counts where it came late.
    for (const [kind, of, from] of [
      [1, name, address],
      [2, "", address],
      [3, name, ""],
    ])
      await database.run(
        `INSERT INTO t_staff_attempt SET kind = ?, name = ?, address = ?, ${inPause} ON DUPLICATE KEY UPDATE ${inPause}`,
        [kind as number, of as string, from as string],
      );
    const wrongCode = (from: string) =>
      outcomeOf(call(caller, "staff.enrolBegin", { name, code: "wrong", address: from }));
    expect(await wrongCode(address)).toBe("tooMany");
    // The pause of the person is none for it, nor does it make that longer.
    expect(await wrongCode("10.4.0.9")).toBe("staffLoginWrong");
    const finish = { ...person, totp: codeOf(secretIn(totpUri)) };
    expect(await outcomeOf(call(caller, "staff.enrolFinish", finish))).toBe("done");
    const kept = await database.query<{ kind: number; failures: number }>(
      "SELECT kind, failures FROM t_staff_attempt WHERE name = ? ORDER BY kind",
      [name],
    );
    expect(kept.map(({ kind, failures }) => [Number(kind), Number(failures)])).toEqual([
      [1, 1],
      [3, 40],
    ]);
    await database.run("DELETE FROM t_staff_attempt WHERE name IN (?, '') ", [name]);
  });

  test("ends with the setup code's day, and the code of a reset is another one", async () => {
    const { totpUri, ...person } = await invited("enrol-2");
    await database.run(
      "UPDATE t_staff_person SET setup_expires_time = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE name = 'enrol-2'",
    );
    const totp = codeOf(secretIn(totpUri));
    expect(await outcomeOf(call(caller, "staff.enrolFinish", { ...person, totp }))).toBe("staffLoginWrong");
    const { setupCode } = await call(caller, "staff.resetPerson", { name: "enrol-2", ...asOperator() });
    const begin = (code: string) => call(caller, "staff.enrolBegin", { name: "enrol-2", code, address: "10.4.0.3" });
    expect(await outcomeOf(begin(person.code))).toBe("staffLoginWrong");
    expect((await begin(setupCode)).totpUri).not.toBe(totpUri);
  });
});

test("a setup code that was written into the database by hand, or is another person's, enrols nobody", async () => {
  const { name } = await enrolledPerson(caller, "admin");
  const { setupCode } = await call(caller, "staff.addPerson", { name: "enrol-3", role: "viewer", ...asOperator() });
  const begin = (code: string) => outcomeOf(call(caller, "staff.enrolBegin", { name, code, address: "10.4.0.4" }));
  const invite = `UPDATE t_staff_person p JOIN t_staff_person o ON o.name = 'enrol-3' SET p.state = 'invited',
    p.setup_expires_time = o.setup_expires_time`;
  await database.run(`${invite}, p.setup_hash = UNHEX(SHA2('by-hand', 256)) WHERE p.name = ?`, [name]);
  expect(await begin("by-hand")).toBe("staffLoginWrong");
  await database.run(`${invite}, p.setup_hash = o.setup_hash WHERE p.name = ?`, [name]);
  expect(await begin(setupCode)).toBe("staffLoginWrong");
});

describe("a session is refused at once on another node", () => {
  async function twoSessions() {
    const person = await enrolledPerson(caller, "viewer", { address: "10.5.0.1" });
    const { name, password, secret } = person;
    const totp = codeOf(secret);
    const second = await call(caller, "staff.login", { name, password, totp, address: "10.5.0.1" });
    const [one, other] = [person.login.session, second.session];
    const known = (session: string) => outcomeOf(call(caller, "staff.session", { session }, at(1)));
    expect([await known(one), await known(other)]).toEqual(["done", "done"]);
    return { ...person, one, other, known };
  }

  test("that was logged out, or ended by its person from another one", async () => {
    const { one, other, known } = await twoSessions();
    const { list } = await call(caller, "staff.sessionsOf", { session: one });
    expect(list.map(({ current }) => current)).toEqual([false, true]);
    const sessionId = list[0]!.sessionId;
    await call(caller, "staff.endSession", { session: one, sessionId }, at(0));
    expect([await known(one), await known(other)]).toEqual(["done", "notLoggedIn"]);
    expect(await outcomeOf(call(caller, "staff.endSession", { session: one, sessionId }))).toBe("sessionUnknown");
    await call(caller, "staff.logout", { session: one }, at(0));
    expect(await known(one)).toBe("notLoggedIn");
    await call(caller, "staff.logout", { session: one }, at(0));
  });

  test("that is another person's is not ended by its id", async () => {
    const [alice, bob] = [await enrolledPerson(caller, "admin"), await enrolledPerson(caller, "viewer")];
    const { list } = await call(caller, "staff.sessionsOf", { session: alice.login.session });
    const ended = call(caller, "staff.endSession", { session: bob.login.session, sessionId: list[0]!.sessionId });
    expect(await outcomeOf(ended)).toBe("sessionUnknown");
  });

  test("of who was disabled, reset or whose sessions were ended", async () => {
    for (const action of ["staff.disablePerson", "staff.resetPerson", "staff.endSessions"] as const) {
      const { name, one, other, known } = await twoSessions();
      await call(caller, action, { name, ...asOperator() }, at(0));
      expect([action, await known(one), await known(other)]).toEqual([action, "notLoggedIn", "notLoggedIn"]);
    }
  });

  test("that was written into the database by hand, given to another person or prolonged there", async () => {
    const { name, one, other, known } = await twoSessions();
    const victim = await enrolledPerson(caller, "finance");
    await database.run(
      `INSERT INTO t_staff_session (token_hash, mac, name, address, create_time, expires_time)
       VALUES (UNHEX(SHA2('by-hand', 256)), UNHEX(SHA2('by-hand', 256)), ?, '10.5.0.1', UTC_TIMESTAMP(3),
         UTC_TIMESTAMP(3) + INTERVAL 1 HOUR)`,
      [victim.name],
    );
    expect(await known("by-hand")).toBe("notLoggedIn");
    await database.run("UPDATE t_staff_session SET name = ? WHERE name = ? ORDER BY id LIMIT 1", [victim.name, name]);
    await database.run("UPDATE t_staff_session SET expires_time = expires_time + INTERVAL 1 DAY WHERE name = ?", [
      name,
    ]);
    expect([await known(one), await known(other)]).toEqual(["notLoggedIn", "notLoggedIn"]);
    expect(await known(victim.login.session)).toBe("done");
  });

  test("of a password that was changed, but the one that changed it", async () => {
    const { name, password, secret, one, other, known } = await twoSessions();
    const newPassword = goodPassword();
    await forgetSteps(name);
    const change = { session: one, password, newPassword, totp: codeOf(secret), address: "10.5.0.1" };
    const weak = { ...change, newPassword: "123456789012" };
    expect(await outcomeOf(call(caller, "staff.changePassword", weak))).toBe("passwordWeak");
    const mistaken = { ...change, password: "another one here" };
    expect(await outcomeOf(call(caller, "staff.changePassword", mistaken))).toBe("staffLoginWrong");
    expect(await outcomeOf(call(caller, "staff.changePassword", change))).toBe("done");
    expect([await known(one), await known(other)]).toEqual(["done", "notLoggedIn"]);
    await forgetSteps(name);
    const login = { name, totp: codeOf(secret), address: "10.5.0.1" };
    expect(await outcomeOf(call(caller, "staff.login", { ...login, password }))).toBe("staffLoginWrong");
    expect(await outcomeOf(call(caller, "staff.login", { ...login, password: newPassword }))).toBe("done");
  });

  test("that is over; and a login ends the person's oldest ones beyond the bound", async () => {
    const { name, password, secret, one, other, known } = await twoSessions();
    await database.run(
      "UPDATE t_staff_session SET expires_time = UTC_TIMESTAMP(3) WHERE name = ? ORDER BY id LIMIT 1",
      [name],
    );
    expect([await known(one), await known(other)]).toEqual(["notLoggedIn", "done"]);
    for (let opened = 0; opened < limits.staff.sessionsPerPerson - 1; opened++)
      await database.run(
        `INSERT INTO t_staff_session (token_hash, mac, name, address, create_time, expires_time)
         SELECT UNHEX(SHA2(UUID(), 256)), UNHEX(SHA2(UUID(), 256)), ?, '10.5.0.1', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 HOUR`,
        [name],
      );
    expect(await known(other)).toBe("done");
    await forgetSteps(name);
    await call(caller, "staff.login", { name, password, totp: codeOf(secret), address: "10.5.0.1" });
    expect(await known(other)).toBe("notLoggedIn");
  });
});
