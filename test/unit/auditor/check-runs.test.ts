import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { CheckRuns, RunEnded } from "../../../services/auditor/check-runs.ts";
import type { Check } from "../../../services/auditor/checks/check.ts";
import type { RunPorts } from "../../../services/auditor/comparison.ts";
import type { Difference } from "../../../services/auditor/differences.ts";

/** A check that fails is a finding, and stops no other. */

const log = { info: () => undefined };
const check = (page: Check["page"]): Check => ({
  ...{ name: "balances", rounds: true, passes: true, page },
  range: async () => ({ from: "0" }),
});
const failing = (error: unknown) => check(() => Promise.reject(error));
const right = check(async () => ({ rows: 3, differences: [], next: null }));

function setting({ starting = false, away = false } = {}) {
  const found: Difference[] = [];
  const ports: RunPorts = {
    ...{ secondLookMs: 1, isKnown: () => false, pageDone: async () => undefined },
    found: async (differences) => found.push(...differences) > 0,
  };
  const databasesAnswer = async () => {
    if (away) throw fail("unavailable", { database: "books" });
  };
  const runs = new CheckRuns({ log, databasesAnswer, isStarting: () => starting });
  return { found, run: (one: Check, since: Date | null = null) => runs.run(one, since, ports) };
}

test("a check that fails is a finding with its name and cause, and the run goes on", async () => {
  const { found, run } = setting();
  expect(await run(failing(new RangeError("not a safe integer")))).toBe("failed");
  expect(found).toEqual([{ kind: "checkFailed", subject: "balances", detail: "not a safe integer" }]);
  expect(await run(right)).toMatchObject({ rows: 3 });
});

test("while a system starts, a failure is no finding", async () => {
  const { found, run } = setting({ starting: true });
  expect(await run(failing(new Error("no such table")))).toBe("failed");
  expect(found).toEqual([]);
});

test("the end of the run and an outage of a database end the run", async () => {
  await expect(setting().run(failing(new RunEnded()))).rejects.toBeInstanceOf(RunEnded);
  const { found, run } = setting({ away: true });
  for (let n = 0; n < 5; n++)
    await expect(run(failing(fail("unavailable")))).rejects.toMatchObject({ type: "unavailable" });
  expect(found).toEqual([]);
});

test("a check whose query takes too long, while the databases answer, is a finding where it does so again and again", async () => {
  const { found, run } = setting();
  const late = failing(fail("unavailable", { cause: "PROTOCOL_SEQUENCE_TIMEOUT" }));
  for (let n = 1; n < limits.books.unavailableRuns; n++) expect(await run(late)).toBe("failed");
  // A round that fails is none of the passes' failures.
  expect(await run(late, new Date(0))).toBe("failed");
  expect(found).toEqual([]);
  await run(late);
  expect(found).toMatchObject([{ kind: "checkFailed", detail: expect.stringContaining("PROTOCOL_SEQUENCE_TIMEOUT") }]);
  await run(right);
  expect(await run(late)).toBe("failed");
  expect(found).toHaveLength(1);
});
