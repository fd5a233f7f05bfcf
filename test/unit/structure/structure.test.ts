import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { structureProblems } from "../../../scripts/check-structure.ts";

function house(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "house-"));
  try {
    for (const folder of ["broker", "config", "mixins", "services", "scripts"]) mkdirSync(join(root, folder));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return structureProblems(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe("the structure of the house", () => {
  test("is in order", () => {
    expect(structureProblems(projectRoot())).toEqual([]);
  });

  test.each([
    [
      "a domain module that imports a driver",
      { "services/gift/a.ts": 'import { connect } from "nats";\n' },
      /imports nats/,
    ],
    [
      "a neighbour's insides",
      { "services/gift/a.ts": 'import { decide } from "../wallet/ledger.ts";\n' },
      /reaches into wallet/,
    ],
    [
      "a script in a service",
      { "services/gift/a.ts": 'import { x } from "../../scripts/stack.ts";\n' },
      /must not know/,
    ],
    ["SQL outside the store", { "services/gift/a.ts": "const a = `SELECT 1 FROM t_gift_record`;\n" }, /store/],
    [
      "a table with two writers",
      {
        "services/gift/a-store.ts": "const a = `INSERT INTO t_gift (id) VALUES (1)`;\n",
        "services/gift/b/b-store.ts": "const b = `DELETE\n FROM t_gift`;\n",
      },
      /t_gift is written by .* and /,
    ],
    ["a long module", { "services/gift/a.ts": "//\n".repeat(261) }, /261 lines/],
    [
      "a long line of a document",
      { "docs/a.md": `a\n${"x".repeat(121)}\n` },
      /docs\/a\.md:2: a line of 121 characters/,
    ],
    ["Lua in a string", { "services/gift/a.ts": "const a = `redis.call('GET', KEYS[1])`;\n" }, /Lua belongs/],
    [
      "a Lua file that does not state what it replies",
      { "services/gift/a.lua": "-- Purpose: x\n-- KEYS[1] y\n\nreturn redis.call('GET', KEYS[1])\n" },
      /does not state Replies/,
    ],
    [
      "a mixin that knows a service, if only its types",
      { "mixins/a.ts": 'import type { X } from "../services/gift/a.ts";\n', "services/gift/a.ts": "" },
      /mixins\/a\.ts: imports services\/gift\/a\.ts of a layer above/,
    ],
    [
      "a circle of imports",
      {
        "services/gift/a.ts": 'import { b } from "./b.ts";\n',
        "services/gift/b.ts": 'import { c } from "./c/c.ts";\n',
        "services/gift/c/c.ts": 'import { a } from "../a.ts";\n',
      },
      /circle: services\/gift\/a\.ts → services\/gift\/b\.ts → services\/gift\/c\/c\.ts → services\/gift\/a\.ts$/,
    ],
    ["a file called utils", { "services/gift/utils.ts": "" }, /its name has no subject/],
  ])("%s is found", (_what, files, problem) => {
    expect(house(files as Record<string, string>).join("\n")).toMatch(problem);
  });

  test("types of a driver, a neighbour's contract, and shared modules are allowed", () => {
    const text =
      'import type { Redis } from "ioredis";\nimport { type A, type B } from "moleculer";\n' +
      'import type { X } from "../wallet/wallet.contract.ts";\nimport { call } from "../contracts.ts";\n';
    expect(house({ "services/gift/a.ts": text })).toEqual([]);
  });

  test("rows of tables and code may be longer than a line of a document", () => {
    const long = "x".repeat(130);
    expect(house({ "docs/a.md": `| ${long} |\n\n\`\`\`\n${long}\n\`\`\`\n` })).toEqual([]);
  });
});
