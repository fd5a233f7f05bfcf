import { limits } from "../../../config/limits.ts";
import { expiryOf, firstLook, nextLook } from "../../../services/payment/janitor/watch-times.ts";

const now = 1_800_000_000_000;
const minute = 60_000;

describe("the provider of an open order is asked", () => {
  test("after a minute, then later each time, and at the moment the order expires", () => {
    const expires = expiryOf(now);
    const looks: number[] = [];
    for (let at = firstLook(now), asked = 0; at < expires; ) {
      looks.push((at.getTime() - now) / minute);
      at = nextLook(++asked, at.getTime(), expires);
    }
    expect(looks).toEqual([1, 2, 4, 8]);
    expect(nextLook(4, now + 8 * minute, expires)).toEqual(expires);
  });

  test("no sooner than it expires at the provider", () => {
    expect(expiryOf(now).getTime()).toBeGreaterThan(now + limits.payment.orderExpiresMs);
  });

  test("every ten minutes for as long as the provider gives no final word", () => {
    for (const asked of [6, 100, 100_000])
      expect(nextLook(asked, now, new Date(now - 1)).getTime()).toBe(now + 10 * minute);
  });
});
