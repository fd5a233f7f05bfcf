import fc from "fast-check";
import { isShownText } from "../../services/shown-text.ts";

test.each([
  ["nothing", ""],
  ["Chinese, and emoji of several code points", "你好 👩‍👩‍👧 👍🏽"],
  ["a zero-width non-joiner, as Persian is spelled", "می‌خواهم"],
  ["directions of Arabic and Hebrew", "\u2067שלום\u2069 \u202bمرحبا\u202c \u200f"],
  ["a no-break space and a byte order mark", "a\u00a0b\ufeff"],
])("%s may be shown", (_what, text) => expect(isShownText(text)).toBe(true));

test.each([
  ["half an emoji", "half \ud83d"],
  ["the other half", "\udc4d"],
  ["halves the wrong way round", "\udc00\ud800"],
  ["NUL", "a\u0000"],
  ["a line break", "a\nb"],
  ["a tab", "a\tb"],
  ["what steers a terminal", "\u001b[2J"],
  ["DEL", "\u007f"],
  ["C1", "\u0085"],
  ["a line separator", "a\u2028b"],
  ["a paragraph separator", "a\u2029b"],
])("%s may not", (_what, text) => expect(isShownText(text)).toBe(false));

test("what may be shown comes back from UTF-8 and from JSON as it was, on one line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      fc.pre(isShownText(text));
      expect(Buffer.from(text, "utf8").toString("utf8")).toBe(text);
      expect(JSON.stringify(text)).not.toMatch(/\\u[d0][0-9a-f]/);
      expect(text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)).toHaveLength(1);
    }),
  );
});
