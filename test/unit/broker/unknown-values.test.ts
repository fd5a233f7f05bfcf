import fc from "fast-check";
import { fieldsOf, integerOf, messageOf, shown } from "../../../broker/unknown-values.ts";
import { strangeJson } from "../../support/strange-values.ts";

test("no value that JSON can hold makes a reader throw, and what is shown of it is short", () => {
  fc.assert(
    fc.property(strangeJson("message", "code"), (text) => {
      const value: unknown = JSON.parse(text);
      expect(shown(value).length).toBeLessThanOrEqual(64);
      expect(messageOf(value).length).toBeLessThanOrEqual(200);
      expect(typeof (integerOf(value) ?? 0)).toBe("number");
      expect(typeof (fieldsOf(value) ?? {})).toBe("object");
    }),
  );
});

test.each<[unknown, number | undefined]>([
  [5555, 5555],
  ["5555", 5555],
  ["-1", -1],
  [0, 0],
  ["1e3", undefined],
  [" 1", undefined],
  ["", undefined],
  [1.5, undefined],
  [2 ** 53, undefined],
  ["9007199254740993", undefined],
  [null, undefined],
  [true, undefined],
  [[1], undefined],
  [{ valueOf: 1, toString: 1 }, undefined],
])("%j is read as the integer %p", (value, integer) => expect(integerOf(value)).toBe(integer));

test.each<[unknown, string]>([
  [new Error("broken"), "broken"],
  [{ message: { toString: 1 } }, "an object"],
  [undefined, "undefined"],
  ["a text", "a text"],
  [Symbol("s"), "Symbol(s)"],
])("what %p says is %j", (thrown, message) => expect(messageOf(thrown)).toBe(message));
