import { paymentReceivedNotification } from "../../../services/notification/payment-received.ts";

describe("the notification of a payment", () => {
  const credited = {
    userId: "272345678901234567",
    orderId: "order-1",
    coins: 100,
    balanceAfter: 250,
    time: "2026-01-01T00:00:00.000Z",
  };

  test("is for the payer alone, with biz code 5561 and what the client shows", () =>
    expect(paymentReceivedNotification(credited)).toEqual({
      userId: "272345678901234567",
      msgId: "paid-order-1",
      bizCode: 5561,
      data: { orderId: "order-1", coins: 100, balance: 250, msg: expect.stringContaining("100") },
    }));

  test("has the same id in every redelivery, whatever the time", () =>
    expect(paymentReceivedNotification({ ...credited, time: "2026-01-02T00:00:00.000Z" }).msgId).toBe(
      paymentReceivedNotification(credited).msgId,
    ));
});
