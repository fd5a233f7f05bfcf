import { limits } from "../../../config/limits.ts";
import { cutParams } from "../../../services/staff/cut-params.ts";

test("params are JSON; a tab or a line end in them is none in the text, which the seal is over", () => {
  const params = { userId: "7", reason: "a\tb\nc", nested: { list: [1, "😀"] } };
  expect(JSON.parse(cutParams(params))).toEqual(params);
  expect(cutParams(params)).not.toMatch(/[\t\n]/);
});

test.each(["a", "字", "😀", '"', "\u0001", "\ud800"])("longer ones are cut, also where they are of %j", (character) => {
  const text = cutParams({ reason: character.repeat(20_000) });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.staff.auditParamsBytes);
  expect(text.length).toBeGreaterThan(1_000);
  expect(JSON.parse(text).cut).toMatch(/^\{"reason":".*…$/s);
});
