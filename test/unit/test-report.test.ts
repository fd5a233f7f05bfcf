import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { type JestFile, outcomeOf, repeatable, slowestLines, timesOf } from "../../scripts/test-report.ts";

const waited = "Error: not within 10000 ms: the gift (last: 0)\n    at eventually (test/support/eventually.ts:14:38)";
const timedOut = 'Error: thrown: "Exceeded timeout of 30000 ms for a test.\nAdd a timeout value to this test"';
const hookTimedOut = timedOut.replace("a test.", "a hook.");
/** An error of afterAll as jest writes it into the message of the file: without its class where that is Error. */
const outside = (error: string) =>
  `  ● Test suite failed to run\n\n    ${error.replace(/^Error: /, "")}\n      at _getError`;
const afterAllTimedOut = outside(hookTimedOut);
const wrong = "Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 2\nReceived: 1";
const counterexample = `Error: Property failed after 1 tests\nCounterexample: [0]\n\n[cause]: ${waited}`;

const brokenSuite = "Test suite failed to run\n\n    ReferenceError: broker is not defined";

/** A file of a report; each test is the messages of its failure, none where it passed. */
function fileOf(path: string, tests: readonly (readonly string[])[], message = ""): JestFile {
  const assertionResults = tests.map((failureMessages, i) => {
    return { status: failureMessages.length > 0 ? "failed" : "passed", fullName: `rule ${i}`, failureMessages };
  });
  const failed = message !== "" || tests.some((messages) => messages.length > 0);
  const time = { startTime: 0, endTime: 0 };
  return { name: join(projectRoot(), path), status: failed ? "failed" : "passed", message, assertionResults, ...time };
}
const gift = "test/integration/gift/gift.test.ts";
const passed = fileOf(gift, [[], []]);
const late = fileOf(gift, [[], [waited]]);
const isRepeated = (file: JestFile, project = "integration") => repeatable([file], [project]).length === 1;

test.each([
  ["a condition that did not come true in time", [[], [waited]]],
  ["a test that did not end in time", [[timedOut]]],
  ["a hook that did not end in time", [[hookTimedOut], [hookTimedOut]]],
  ["a coloured message", [[`\u001b[31m${waited}\u001b[39m`]]],
  ["two deadlines of one test", [[waited, timedOut]]],
  ["a page that was not there in time", [["TimeoutError: page.goto: Timeout 20000ms exceeded.\nCall log:"]]],
  ["an element that was not there in time", [["locator.waitFor: Timeout 60000ms exceeded.\nCall log:"]]],
  [
    "a browser that was not there in time",
    [["TimeoutError: browserType.launch: Timeout 30000ms exceeded.\nCall log:"]],
  ],
  ["a context of the browser that was late", [["browserContext.newPage: Timeout 60000ms exceeded.\nCall log:"]]],
  ["JetStream that did not answer for a moment", [["NatsError: 503\n    at NatsError.errorForCode"]]],
  ["nats-server that did not answer for a moment", [["NatsError: TIMEOUT\n    at NatsError.errorForCode"]]],
])("a file runs once more where it only missed deadlines: %s", (_what, tests) => {
  expect(isRepeated(fileOf(gift, tests))).toBe(true);
});

test.each([
  ["no test failed", [[], []]],
  ["tests missed deadlines too", [[], [waited]]],
])("a file whose afterAll did not end in time runs once more: %s", (_what, tests) => {
  expect(isRepeated(fileOf(gift, tests, afterAllTimedOut))).toBe(true);
});

test.each([
  ["a condition that did not come true in time", waited],
  ["JetStream that did not answer for a moment", "NatsError: 503\n\n      1 | code"],
  ["nats-server that did not answer for a moment", "NatsError: TIMEOUT\n\n      1 | code"],
  ["a page that did not answer in time", "locator.waitFor: Timeout 60000ms exceeded.\nCall log:"],
])("a file whose afterAll missed a deadline runs once more: %s", (_what, error) => {
  expect(isRepeated(fileOf(gift, [[], []], outside(error)))).toBe(true);
  expect(isRepeated(fileOf(gift, [[], [waited]], `${afterAllTimedOut}\n\n${outside(error)}`))).toBe(true);
  expect(isRepeated(fileOf(gift, [[], [wrong]], outside(error)))).toBe(false);
});

test.each([
  ["a wrong value", wrong],
  ["another answer of JetStream", "NatsError: stream not found\n\n      1 | code"],
  ["a wrong value, with a missed deadline in its code", `${wrong}\n\n      1 | // ${waited}`],
  ["an error whose cause missed a deadline", `Error: the books differ\n\n    Cause:\n    ${waited}`],
])("a file whose afterAll failed otherwise does not run once more: %s", (_what, error) => {
  expect(isRepeated(fileOf(gift, [[], []], outside(error)))).toBe(false);
  expect(isRepeated(fileOf(gift, [[]], `${afterAllTimedOut}\n\n${outside(error)}`))).toBe(false);
});

test.each([
  ["a wrong value", fileOf(gift, [[wrong]])],
  ["another answer of JetStream", fileOf(gift, [["NatsError: stream not found\n    at errorForCode"]])],
  ["a wrong value in another test", fileOf(gift, [[waited], [wrong]])],
  ["a wrong value after a missed deadline", fileOf(gift, [[waited, wrong]])],
  ["a counterexample of a property, whose cause missed a deadline", fileOf(gift, [[counterexample]])],
  ["a failed test without a message", { ...late, assertionResults: [{ ...failedTest(), failureMessages: [] }] }],
  ["a wrong value and a hook that did not end in time", fileOf(gift, [[wrong]], afterAllTimedOut)],
  ["an error outside of the tests beside such a hook", fileOf(gift, [[]], `${afterAllTimedOut}\n\n● ${brokenSuite}`)],
  ["a file that did not run", fileOf(gift, [], "● Test suite failed to run")],
  ["an error outside of the tests", fileOf(gift, [[waited]], `● ${brokenSuite}`)],
  ["payments", fileOf("test/integration/payment/orders.test.ts", [[waited]])],
  ["the wallet", fileOf("test/integration/wallet/holds.test.ts", [[timedOut]])],
  ["a file that passed", passed],
])("a file does not run once more: %s", (_what, file) => {
  expect(isRepeated(file)).toBe(false);
});

function failedTest() {
  return { status: "failed", fullName: "rule 1", failureMessages: [waited] };
}

test("nothing runs once more on a system that crashes left damaged, or where more than five files failed", () => {
  expect(isRepeated(late, "e2e")).toBe(true);
  expect(isRepeated(late, "e2e/crash")).toBe(false);
  const many = (count: number) => Array.from({ length: count }, (_, i) => fileOf(`test/e2e/${i}.test.ts`, [[waited]]));
  expect(repeatable([passed, ...many(5)], ["e2e"])).toHaveLength(5);
  expect(repeatable([passed, ...many(6)], ["e2e"])).toEqual([]);
});

test("of the files that failed, those that only missed deadlines run once more", () => {
  expect(repeatable([late, fileOf("test/e2e/a.test.ts", [[wrong]])], ["e2e"])).toEqual([late]);
});

const other = fileOf("test/integration/user/login.test.ts", [[], [], [wrong]]);

test("a repeated file counts with its second result, and what passed then is listed as unstable", () => {
  const outcome = outcomeOf("integration", [late, other], [late], { testResults: [passed] });
  expect(outcome).toMatchObject({ passed: 4, failed: 1, skipped: 0 });
  expect(outcome.unstable).toEqual([expect.stringMatching(/gift\.test\.ts: rule 1: Error: not within 10000 ms/)]);
  expect(outcome.failures).toEqual([expect.stringMatching(/login\.test\.ts: rule 2: Error: expect/)]);
});

test("a repeated file that fails again has failed, with what failed then", () => {
  const outcome = outcomeOf("integration", [late], [late], { testResults: [fileOf(gift, [[wrong], []])] });
  expect(outcome).toMatchObject({ passed: 1, failed: 1, unstable: [] });
  expect(outcome.failures).toEqual([expect.stringMatching(/rule 0: Error: expect/)]);
});

test.each([
  ["left no report", undefined],
  ["does not have the file", { testResults: [] }],
])("where the second run %s, the first result counts and is listed", (_what, again) => {
  const outcome = outcomeOf("integration", [late], [late], again);
  expect(outcome).toMatchObject({ passed: 1, failed: 1, unstable: [] });
  expect(outcome.failures).toEqual([expect.stringMatching(/rule 1: Error: not within/)]);
});

test("a file that was not repeated keeps its failure, whatever the second report says of it", () => {
  const failing = fileOf(gift, [[wrong]]);
  expect(outcomeOf("integration", [failing], [], { testResults: [passed] })).toMatchObject({ failed: 1, unstable: [] });
});

test("an error outside of the tests is one failure, and is unstable where the second run passes", () => {
  const slow = fileOf(gift, [[], []], afterAllTimedOut);
  expect(outcomeOf("unit", [slow])).toMatchObject({ passed: 2, failed: 1 });
  expect(outcomeOf("unit", [slow], [slow], { testResults: [passed] })).toMatchObject({
    ...{ passed: 2, failed: 0, failures: [] },
    unstable: [expect.stringMatching(/gift\.test\.ts failed outside of its tests: .*Exceeded timeout/)],
  });
});

test("a file that did not run is one failure; tests that fail alike share a line", () => {
  const didNotRun = fileOf(gift, [], "● Test suite failed to run\n\n  no such module");
  const outcome = outcomeOf("unit", [didNotRun, fileOf("test/unit/a.test.ts", [[wrong], [wrong]])]);
  expect(outcome).toMatchObject({ passed: 0, failed: 3 });
  expect(outcome.failures).toEqual([
    expect.stringMatching(/gift\.test\.ts did not run: ● Test suite failed to run no such module/),
    expect.stringMatching(/a\.test\.ts: rule 0 \(and 1 more of the file\): Error/),
  ]);
});

test("of a long message the beginning, the end and the place are listed", () => {
  const long = `Error: not equal\n- code 0\n${"+ a line\n".repeat(200)}+ the reason\n    at Object.toEqual (a.test.ts:1:2)\n    at b`;
  const { failures } = outcomeOf("integration", [fileOf(gift, [[long]])], [], undefined);
  expect(failures).toEqual([
    expect.stringMatching(
      /Error: not equal - code 0 .* \.\.\. .*\+ the reason at Object\.toEqual \(a\.test\.ts:1:2\)$/,
    ),
  ]);
});

test("the files that took longest are listed, the longest first", () => {
  const took = (path: string, seconds: number) => ({
    ...fileOf(path, [[]]),
    startTime: 5_000,
    endTime: 5_000 + seconds * 1_000,
  });
  const times = timesOf("e2e", [took("test/a.test.ts", 3), took("test/b.test.ts", 40.4), took("test/c.test.ts", 7)]);
  expect(slowestLines(times, 2)).toEqual(["  40 s e2e: test/b.test.ts", "   7 s e2e: test/c.test.ts"]);
});
