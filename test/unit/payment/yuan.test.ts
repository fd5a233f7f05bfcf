import fc from "fast-check";
import { fenOf, yuan } from "../../../services/payment/yuan.ts";

describe("yuan and fen", () => {
  test("of every amount are the same there and back", () => {
    fc.assert(fc.property(fc.maxSafeNat(), (fen) => fenOf(yuan(fen)) === fen));
  });

  test.each([
    ["30", 3_000],
    ["30.1", 3_010],
    ["0.07", 7],
    ["1.13", 113],
    ["90071992547409.91", Number.MAX_SAFE_INTEGER],
  ])("%s yuan are %i fen", (text, fen) => {
    expect(fenOf(text)).toBe(fen);
  });

  test.each(["", "30.001", "-1", "+1", "1e3", " 1", "1,000.00", ".5", "1.", "NaN", "90071992547409.92"])(
    "%j is no amount",
    (text) => {
      expect(fenOf(text)).toBeNull();
    },
  );
});
