import { type RefundState, refundStatesBefore } from "../../../services/payment/refunds/refund-state.ts";

describe("a refund", () => {
  test.each([
    ["requested", []],
    ["processing", ["requested", "processing"]],
    ["done", ["requested", "processing", "failed"]],
    ["failed", ["requested", "processing"]],
  ] as [RefundState, RefundState[]][])("becomes %s from %j only", (to, from) => {
    expect(refundStatesBefore(to)).toEqual(from);
  });
});
