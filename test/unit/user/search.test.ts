import { kindsOf, reversed, shownEnd } from "../../../services/user/search.ts";

/** What a text that staff search for may stand for. */

test.each([
  ["5678", ["userId", "externalId", "phoneEnd"]],
  ["12345678", ["userId", "externalId", "phoneEnd"]],
  ["0678", ["externalId", "phoneEnd"]],
  ["678", ["userId", "externalId"]],
  ["123456789", ["userId", "externalId"]],
  ["13800135678", ["userId", "externalId", "phone"]],
  ["383138010168813800", ["userId", "externalId"]],
  ["99999999999999999999", ["externalId"]],
  ["alice@example", ["externalId"]],
  ["%5678", ["externalId"]],
  ["５６７８", ["externalId"]],
] as const)("%s may be %j", (q, kinds) => {
  expect(kindsOf(q, true)).toEqual(kinds);
});

test("who may not see phones finds by the four digits that are shown, and by none that would tell a fifth", () => {
  const phone = "13800135678";
  for (const digits of [5, 6, 7, 8, 9, 11]) {
    const kinds = kindsOf(phone.slice(-digits), false);
    expect([digits, kinds.filter((kind) => kind.startsWith("phone"))]).toEqual([digits, []]);
  }
  expect(kindsOf(phone.slice(-4), false)).toContain("phoneEnd");
});

test("of a phone the last four digits are shown, and no more", () => {
  expect(shownEnd("13800135678")).toBe("5678");
});

test("an end is found as the beginning of the reversed phone", () => {
  const phone = "13800135678";
  expect(reversed(phone).startsWith(reversed("5678"))).toBe(true);
  expect(reversed(phone).startsWith(reversed("1380"))).toBe(false);
});
