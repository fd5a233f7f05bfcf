import fc from "fast-check";
import { cutList, jsonBytes } from "../../../broker/parts.ts";

const nothingTooLarge = (item: unknown, bytes: number) => {
  throw new Error(`${JSON.stringify(item).slice(0, 40)} of ${bytes} bytes is not too large`);
};

/** Texts of every kind that JSON and UTF-8 make longer: Chinese, emoji, quotes, control characters, lone surrogates. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("礼物".repeat(20), '"\\'.repeat(20), "\u0001".repeat(20), "\ud800", "🎁"),
);
const item = fc.record({ id: fc.nat(), name: text, list: fc.array(text, { maxLength: 3 }) });

test("every part keeps its bounds in number and bytes, in order, and nothing is lost but what is too large alone", () => {
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 10, max: 2_000 }),
      (items, count, bytes) => {
        const tooLarge: unknown[] = [];
        const parts = cutList(items, { count, bytes }, (one, own) => {
          expect(own).toBe(jsonBytes(one));
          expect(jsonBytes([one])).toBeGreaterThan(bytes);
          tooLarge.push(one);
        });
        for (const part of parts) {
          expect(part.length).toBeGreaterThan(0);
          expect(part.length).toBeLessThanOrEqual(count);
          expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(bytes);
        }
        expect(parts.flat()).toEqual(items.filter((one) => !tooLarge.includes(one)));
        expect(parts.flat().length + tooLarge.length).toBe(items.length);
      },
    ),
    { numRuns: 300 },
  );
});

test("no part is cut that could have taken the next element", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), fc.integer({ min: 400, max: 2_000 }), (items, bytes) => {
      const parts = cutList(items, { count: 10, bytes }, () => undefined);
      for (const [at, part] of parts.slice(0, -1).entries())
        expect(part.length === 10 || jsonBytes([...part, parts[at + 1]?.[0]]) > bytes).toBe(true);
    }),
  );
});

test("bytes are counted, not characters", () => {
  expect(cutList(["礼".repeat(30), "礼".repeat(30)], { count: 9, bytes: 100 }, nothingTooLarge)).toHaveLength(2);
  expect(cutList(["g".repeat(30), "g".repeat(30)], { count: 9, bytes: 100 }, nothingTooLarge)).toHaveLength(1);
});

test("an empty list has no parts, and a list that fits is one", () => {
  expect(cutList([], { count: 1, bytes: 1 }, nothingTooLarge)).toEqual([]);
  expect(cutList([1, 2, 3], { count: 3, bytes: 7 }, nothingTooLarge)).toEqual([[1, 2, 3]]);
  expect(cutList([1, 2, 3], { count: 3, bytes: 6 }, nothingTooLarge)).toEqual([[1, 2], [3]]);
});

test("elements may be measured otherwise than as JSON", () => {
  const bytesOf = (item: number) => item;
  expect(cutList([4, 4, 4], { count: 9, bytes: 12, bytesOf }, nothingTooLarge)).toEqual([[4, 4], [4]]);
});
