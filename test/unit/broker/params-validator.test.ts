import fc from "fast-check";
import { ParamsValidator } from "../../../broker/params-validator.ts";
import { imRouterParams } from "../../../services/im-router/im-router.contract.ts";
import { contractParams } from "../../support/contract-params.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";

type Check = (params: unknown, context: object) => true | Record<string, unknown>[];
const checkOf = (schema: object) => new ParamsValidator().compile(schema as never) as unknown as Check;

const actions = Object.entries(contractParams).flatMap(([service, params]) =>
  Object.entries(params).map(([name, schema]) => [`${service}.${name}`, schema as Record<string, object>] as const),
);

test.each(actions)("%s: strange params from another node pass or are refused, and break nothing", (_name, schema) => {
  const check = checkOf(schema);
  const names = Object.keys(schema);
  fc.assert(
    fc.property(fc.oneof(strangeObject(names), strangeJson(...names)), (text) => {
      const answer = check(JSON.parse(text), {});
      if (answer === true) return;
      expect(answer.length).toBeGreaterThan(0);
      // What is answered and logged holds no value that was sent, and can be written.
      for (const problem of answer) expect(problem).not.toHaveProperty("actual");
      expect(JSON.stringify(answer).length).toBeLessThan(100_000);
    }),
    { numRuns: 25 },
  );
});

test.each([
  ["a value that no message can show", { userId: { toString: 1 } }],
  ["a value in a value that none can show", { userId: [{ toString: 1 }] }],
  ["20,000 levels", { userId: JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`) }],
])("%s is refused like any other", (_what, params) => {
  expect(checkOf({ userId: { type: "string" } })(params, {})).toEqual([
    expect.objectContaining({ field: expect.any(String) }),
  ]);
});

test("a number is a safe integer's size, unless the contract says less", () => {
  const check = checkOf({ roomId: { type: "number", integer: true, positive: true } });
  expect([check({ roomId: 5 }, {}), check({ roomId: 1e300 }, {}), check({ roomId: Number.NaN }, {})]).toEqual([
    true,
    [expect.objectContaining({ type: "numberMax" })],
    [expect.objectContaining({ type: "number" })],
  ]);
});

test("what a frame shows may have levels, and not so many that it cannot be written", () => {
  const { data } = imRouterParams.sendToRoom;
  const check = checkOf({ data });
  const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as object;
  expect(check({ data: deep(20) }, {})).toBe(true);
  for (const levels of [21, 20_000])
    expect(check({ data: deep(levels) }, {})).toEqual([expect.objectContaining({ type: "tooDeep" })]);
});
