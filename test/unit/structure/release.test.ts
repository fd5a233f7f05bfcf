/** What nodes of this release and of the one before say to each other, and the files of migrations (docs/releasing.md). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { release } from "../../../config/release.ts";
import { projectRoot } from "../../../config/root.ts";
import { readMigrations } from "../../../mixins/mysql/migration-files.ts";
import { migrationProblems } from "../../../scripts/migration-rules.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { changedMigrations, presentRecord, type ReleaseRecord, rollProblems } from "../../support/release-record.ts";

const folder = join(projectRoot(), "test/unit/releases");
const releases = readdirSync(folder).map((file) => Number(file.replace(".json", "")));
const recordOf = (number: number) => JSON.parse(readFileSync(join(folder, `${number}.json`), "utf8")) as ReleaseRecord;
const present = presentRecord();

test("the release before this one has its record", () => {
  expect(releases).toContain(release - 1);
  expect(Math.max(...releases)).toBeLessThanOrEqual(release);
});

test("nodes of this release run beside those of the release before: nothing that they say to each other is gone or narrower", () => {
  expect(rollProblems(recordOf(release - 1), present)).toEqual([]);
});

test("no file of migrations that was released is changed or gone", () => {
  for (const number of releases) expect(changedMigrations(recordOf(number), present)).toEqual([]);
});

test("a new file of migrations says what it is and of which release, and does nothing that nodes beside it cannot bear", () => {
  const released = new Set(releases.flatMap((number) => Object.keys(recordOf(number).migrations)));
  const problems = new Set<string>();
  for (const folders of Object.values(migrationFolders)) {
    const all = readMigrations(folders);
    for (const [at, migration] of all.entries()) {
      if (migration.release === 1 && released.has(migration.name)) continue;
      if (migration.release === 1 || migration.release > release)
        problems.add(`${migration.name}: its first line must be "-- expand, release ${release}" or a contract's`);
      for (const problem of migrationProblems(migration, all.slice(0, at))) problems.add(problem);
    }
  }
  expect([...problems]).toEqual([]);
});

describe("the comparison of two releases", () => {
  const object = (properties: object, required: readonly string[] = []) =>
    ({ type: "object", properties, required }) as never;
  const text = { type: "string", maxLength: 10 };
  const base: ReleaseRecord = {
    migrations: { "a/0001-x.sql": "1" },
    actions: { "wallet.move": { params: object({ id: text, note: text }, ["id"]), callers: ["gift"] } },
    events: { "gift.settled": object({ id: text, kind: { enum: ["a"] } }, ["id"]) },
    broadcasts: { "gift.changed": { data: object({ id: text }, ["id"]), senders: ["gift"] } },
    streams: { PAY: { subjects: ["pay.*"], consumers: ["wallet"] } },
  };
  const action = (params: object, callers = ["gift"]) => ({
    actions: { "wallet.move": { params: params as never, callers } },
  });
  const event = (data: object) => ({ events: { "gift.settled": data as never } });

  test.each<[string, Partial<ReleaseRecord>]>([
    [
      "a new action, event, broadcast, consumer",
      { actions: { ...base.actions, "wallet.new": { params: object({}), callers: [] } } },
    ],
    [
      "a new optional param, and a wider one",
      action(object({ id: { type: "string", maxLength: 20 }, note: text, more: text }, ["id"])),
    ],
    ["an optional param that is gone: a caller's is left out", action(object({ id: text }, ["id"]))],
    ["one caller more", action(object({ id: text, note: text }, ["id"]), ["gift", "battle"])],
    ["a new optional field of an event", event(object({ id: text, kind: { enum: ["a"] }, more: text }, ["id"]))],
  ])("allows %s", (_what, change) => {
    expect(rollProblems(base, { ...base, ...change })).toEqual([]);
  });

  test.each<[string, Partial<ReleaseRecord>, RegExp]>([
    ["an action that is gone", { actions: {} }, /wallet\.move: it is gone/],
    [
      "a new required param",
      action(object({ id: text, note: text, more: text }, ["id", "more"])),
      /more: it is required/,
    ],
    ["a required param that is gone", action(object({ note: text })), /id: it is gone/],
    [
      "a narrower param",
      action(object({ id: { type: "string", maxLength: 9 }, note: text }, ["id"])),
      /\.id: .* became/,
    ],
    ["a caller that may not any more", action(object({ id: text, note: text }, ["id"]), []), /gift may not call it/],
    ["a field of an event that is gone", event(object({ id: text }, ["id"])), /kind: it is gone/],
    [
      "a new required field of an event",
      event(object({ id: text, kind: { enum: ["a"] }, more: text }, ["id", "more"])),
      /more: it is req/,
    ],
    [
      "a required field of an event that is optional",
      event(object({ id: text, kind: { enum: ["a"] } })),
      /id: it is optional/,
    ],
    [
      "a new value in a field of an event",
      event(object({ id: text, kind: { enum: ["a", "b"] } }, ["id"])),
      /kind: .* became/,
    ],
    ["a broadcast that is gone", { broadcasts: {} }, /gift\.changed: the broadcast is gone/],
    [
      "a consumer that is gone",
      { streams: { PAY: { subjects: ["pay.*"], consumers: [] } } },
      /consumer wallet is gone/,
    ],
  ])("refuses %s", (_what, change, problem) => {
    const problems = rollProblems(base, { ...base, ...change });
    expect(problems.join("\n")).toMatch(problem);
    expect(problems).toHaveLength(1);
  });

  test("allows a new optional param in one of several forms, and a new form; not a new form of an event", () => {
    const was = { anyOf: [object({ id: text }, ["id"])] };
    const is = { anyOf: [object({ id: text, more: text }, ["id"]), text] };
    const before = { ...base, ...action(was), ...event(was) };
    expect(rollProblems(before, { ...before, ...action(is) })).toEqual([]);
    expect(rollProblems(before, { ...before, ...event(is) })).toHaveLength(1);
    expect(rollProblems(before, { ...before, ...action({ anyOf: [text] }) })).toHaveLength(1);
  });

  test("finds a released file of migrations that was changed or removed", () => {
    expect(changedMigrations(base, { ...base, migrations: { "a/0001-x.sql": "2" } })).toHaveLength(1);
    expect(changedMigrations(base, { ...base, migrations: {} })).toHaveLength(1);
  });
});
