import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { settle } from "../../../services/gift/settler.ts";

test("a gift whose charge fits into no message fails its batch, which makes it a dead letter; it is not acked unsettled", async () => {
  const calls: unknown[] = [];
  const service = {
    broker: { call: async (...args: unknown[]) => calls.push(args) },
    records: { isSeveral: false },
    logger: { error: () => {} },
  };
  const gift = { orderId: "x".repeat(limits.bus.listBytes), senderId: "1", receiverId: "2", price: 1, count: 1 };
  const settling = settle(service as never, [{ data: gift }] as never, () => {});
  expect(failureName(await settling.catch((error: unknown) => error))).toBe("messageTooLarge");
  expect(calls).toEqual([]);
});
