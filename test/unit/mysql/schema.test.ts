import { migrationOf } from "../../../mixins/mysql/migration-files.ts";
import { releaseOf, whyNot } from "../../../mixins/mysql/schema.ts";
import { whyNotContract } from "../../../scripts/bus-releases.ts";

const first = migrationOf("a/0001-first.sql", "CREATE TABLE IF NOT EXISTS t_a (id INT);");
const added = migrationOf(
  "a/0002-added.sql",
  "-- expand, release 5\nALTER TABLE t_a ADD b INT NULL, ALGORITHM=INSTANT;",
);
const removed = migrationOf(
  "a/0003-less.sql",
  "-- contract, release 5, needs 4\nALTER TABLE t_a DROP c, ALGORITHM=INSTANT;",
);
const own = [first, added, removed];

const schema = (
  applied: readonly (typeof first)[],
  others: readonly { name: string; release: number; needs: number }[] = [],
) => ({
  applied: new Map(applied.map(({ name, checksum }) => [name, checksum])),
  begun: [...applied, ...others].map(({ name, release, needs }) => ({ name, release, needs })),
});
const reason = (...of: Parameters<typeof schema>) => whyNot("ovation_a", schema(...of), own, 5);

test("a node runs on the schema of its release, with its contracts or without", () => {
  expect(reason([first, added])).toBeUndefined();
  expect(reason([first, added, removed])).toBeUndefined();
});

test("it refuses one that lacks an expand of its release, and names it", () => {
  expect(reason([first])).toMatch(/lacks a\/0002-added\.sql: run "npm run migrate"/);
});

test("it runs on what the next release adds, and refuses what the one after that adds", () => {
  expect(reason([first, added], [{ name: "a/0004-more.sql", release: 6, needs: 0 }])).toBeUndefined();
  expect(reason([first, added], [{ name: "a/0005-more.sql", release: 7, needs: 0 }])).toMatch(/releases 5 and 6/);
});

test("it runs without what a later contract removed for which it is new enough, and refuses another from its beginning on", () => {
  expect(reason([first, added], [{ name: "a/0004-less.sql", release: 6, needs: 5 }])).toBeUndefined();
  expect(reason([first, added], [{ name: "a/0004-less.sql", release: 6, needs: 6 }])).toMatch(
    /too new for this node: a\/0004-less\.sql removed what nodes before release 6 need, and this one is of release 5/,
  );
});

test("a migration that was changed after it was applied is an error that says so", () => {
  const changed = { ...first, checksum: "0".repeat(64) };
  expect(() => reason([changed, added])).toThrow(/a\/0001-first\.sql was changed after it was applied to ovation_a/);
});

test("the release of a schema is that of its newest migration", () => {
  expect([releaseOf(schema([])), releaseOf(schema([first])), releaseOf(schema([first, added]))]).toEqual([1, 1, 5]);
});

describe("contracts beside running nodes", () => {
  const nodes = [
    { nodeId: "gift.a", release: 3 },
    { nodeId: "gift.b", release: 4 },
  ];

  test("are refused while a node is older than they need, which is named, and where no node is heard", () => {
    expect(whyNotContract([removed], nodes)).toMatch(/a\/0003-less\.sql needs release 4: gift\.a is of release 3/);
    expect(whyNotContract([removed], nodes)).not.toMatch(/gift\.b/);
    expect(whyNotContract([removed], [])).toMatch(/No node is on the bus/);
  });

  test("are applied otherwise; where there are none, it does not matter who runs", () => {
    expect(whyNotContract([removed], nodes.slice(1))).toBeUndefined();
    expect(whyNotContract([], [])).toBeUndefined();
  });
});
