import fc from "fast-check";
import { Validators } from "moleculer";
import { giftParams } from "../../../services/gift/gift.contract.ts";
import { imServerParams } from "../../../services/im-server/im-server.contract.ts";
import { livingRoomParams } from "../../../services/living-room/living-room.contract.ts";
import { paymentParams } from "../../../services/payment/payment.contract.ts";
import { userParams } from "../../../services/user/user.contract.ts";
import { userIdPattern } from "../../../services/user-id-pattern.ts";
import { walletParams } from "../../../services/wallet/wallet.contract.ts";

const largest = 2n ** 64n - 1n;

describe("a user id", () => {
  test.each(["1", "383138010168813800", "9223372036854775807", String(largest - 1n), String(largest)])(
    "may be %s",
    (id) => {
      expect(userIdPattern.test(id)).toBe(true);
    },
  );

  test.each(["", "0", "01", "-1", "1.0", "1e3", " 1", "1\n", String(largest + 1n), "9".repeat(20), "1".repeat(21)])(
    "is never %j",
    (id) => {
      expect(userIdPattern.test(id)).toBe(false);
    },
  );

  test.each([
    ["wallet.balance", walletParams.balance],
    ["wallet.freeze", { userId: walletParams.freeze.userId }],
    ["wallet.consumeForSendGift", { userId: walletParams.consumeForSendGift.gifts.items.props.receiverId }],
    ["payment.order", { userId: paymentParams.order.userId }],
    ["gift.send", { userId: giftParams.send.receiverId }],
    ["living-room.start", { userId: livingRoomParams.start.userId }],
    ["user.profile", userParams.profile],
    ["im-server.token", imServerParams.token],
  ])("that fits no column is refused by %s", (_action, schema) => {
    const check = new Validators.Fastest().compile({ ...schema });
    expect(check({ userId: String(largest) })).toBe(true);
    expect(check({ userId: String(largest + 1n) })).not.toBe(true);
  });

  test("is one exactly where it fits an unsigned column", () => {
    const near = fc.bigInt({ min: largest - 10n ** 18n, max: largest + 10n ** 18n });
    const any = fc.bigInt({ min: 1n, max: 10n ** 21n });
    fc.assert(
      fc.property(fc.oneof(near, any), (id) => userIdPattern.test(String(id)) === id <= largest),
      { numRuns: 2_000 },
    );
  });
});
