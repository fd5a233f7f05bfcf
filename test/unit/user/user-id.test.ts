import fc from "fast-check";
import { firstNickName, randomPartsOfUserId, userIdOf } from "../../../services/user/user-id.ts";

const times = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2090, 0, 1) });
const randoms = fc.integer({ min: 0, max: randomPartsOfUserId - 1 });

describe("user ids", () => {
  test("exceed 2^53 and fit a signed BIGINT, as decimal strings", () =>
    fc.assert(
      fc.property(times, randoms, (time, random) => {
        const id = userIdOf(time, random);
        expect(id).toMatch(/^[1-9]\d{15,18}$/);
        expect(BigInt(id)).toBeGreaterThan(2n ** 53n);
        expect(BigInt(id)).toBeLessThan(2n ** 63n);
      }),
    ));

  test("of a later ms are greater, whatever their random part", () =>
    fc.assert(
      fc.property(times, randoms, randoms, (time, one, other) => {
        expect(BigInt(userIdOf(time + 1, one))).toBeGreaterThan(BigInt(userIdOf(time, other)));
      }),
    ));

  test("of one ms differ where the random part differs", () => {
    const now = Date.UTC(2026, 0, 1);
    expect(userIdOf(now, 1)).not.toBe(userIdOf(now, 2));
  });

  test("are refused where the clock or the random part cannot be right", () => {
    expect(() => userIdOf(0, 1)).toThrow(RangeError);
    expect(() => userIdOf(Date.UTC(2026, 0, 1), randomPartsOfUserId)).toThrow(RangeError);
    expect(() => userIdOf(Date.UTC(2026, 0, 1), -1)).toThrow(RangeError);
  });

  test("the first nick name comes from the id", () =>
    expect(firstNickName("272345678901234567")).toBe("旗鱼用户-234567"));
});
