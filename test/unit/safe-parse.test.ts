import fc from "fast-check";
import { z } from "zod";
import { safeParse } from "../../services/safe-parse.ts";
import { strangeJson, strangeObject } from "../support/strange-values.ts";

const schema = z.object({
  text: z.string().min(1).max(64),
  pattern: z.string().regex(/^a/).optional(),
  time: z.iso.datetime().optional(),
  url: z.url().optional(),
  list: z.array(z.int()).max(3).optional(),
});

test("whatever JSON holds fits or does not, and nothing is thrown", () => {
  const names = Object.keys(schema.shape);
  fc.assert(
    fc.property(fc.oneof(strangeObject(names), strangeJson(...names)), (text) => {
      expect(typeof safeParse(schema, JSON.parse(text)).success).toBe("boolean");
    }),
    { numRuns: 300 },
  );
});

test("a value that fits is given back; one that does not is refused with its path", () => {
  expect(safeParse(schema, { text: "x" })).toEqual({ success: true, data: { text: "x" } });
  expect(safeParse(schema, { text: "" }).error?.issues[0]?.path).toEqual(["text"]);
  expect(safeParse(schema, { text: { length: { valueOf: 1, toString: 1 } } }).success).toBe(false);
});
