import fc from "fast-check";
import { isUserId } from "../../../services/fields.ts";
import { giftActions } from "../../../services/gift/gift.contract.ts";
import { imRouterActions } from "../../../services/im-router/im-router.contract.ts";
import { livingRoomActions } from "../../../services/living-room/living-room.contract.ts";
import { paymentActions } from "../../../services/payment/payment.contract.ts";
import { userActions } from "../../../services/user/user.contract.ts";
import { walletActions } from "../../../services/wallet/wallet.contract.ts";

const largest = 2n ** 64n - 1n;

describe("a user id", () => {
  test.each(["1", "383138010168813800", "9223372036854775807", String(largest - 1n), String(largest)])(
    "may be %s",
    (id) => {
      expect(isUserId(id)).toBe(true);
    },
  );

  test.each(["", "0", "01", "-1", "1.0", "1e3", " 1", "1\n", String(largest + 1n), "9".repeat(20), "1".repeat(21)])(
    "is never %j",
    (id) => {
      expect(isUserId(id)).toBe(false);
    },
  );

  test.each([
    ["wallet.balance", walletActions.balance.params.shape.userId],
    ["wallet.freeze", walletActions.freeze.params.shape.userId],
    ["wallet.consumeForSendGift", walletActions.consumeForSendGift.params.shape.gifts.element.shape.receiverId],
    ["payment.order", paymentActions.order.params.shape.userId],
    ["gift.send", giftActions.send.params.shape.receiverId],
    ["living-room.start", livingRoomActions.start.params.shape.userId],
    ["user.profile", userActions.profile.params.shape.userId],
    ["im-router.tickets", imRouterActions.tickets.params.shape.userIds.element],
  ])("that fits no column is refused by %s", (_action, field) => {
    expect(field.safeParse(String(largest)).success).toBe(true);
    expect(field.safeParse(String(largest + 1n)).success).toBe(false);
  });

  test("is valid exactly where it fits an unsigned column", () => {
    const near = fc.bigInt({ min: largest - 10n ** 18n, max: largest + 10n ** 18n });
    const any = fc.bigInt({ min: 1n, max: 10n ** 21n });
    fc.assert(
      fc.property(fc.oneof(near, any), (id) => isUserId(String(id)) === id <= largest),
      { numRuns: 2_000 },
    );
  });
});
