import { isFailure } from "../../broker/failure.ts";
import { call } from "../../services/contracts.ts";
import { operatorName, type ReplCommand, TypedWrong } from "./command.ts";
import { pairs } from "./table.ts";

const payStatus = ["waiting", "paying", "paid", "cancelled", "invalid", "refunded"];

/** An order of either kind. Both lookups are operators' actions and write an audit row. */
export const order: ReplCommand = {
  command: "order <orderId>",
  description: "the order of any user, of a payment or of a gift (writes an audit row)",
  async run(broker, args) {
    const { orderId = "" } = args;
    if (orderId.length === 0 || orderId.length > 64) throw new TypedWrong("an order id has 1 to 64 characters");
    const operator = operatorName(broker);
    try {
      const { status, payTime = "", parked, ...paid } = await call(broker, "payment.findOrder", { orderId, operator });
      return pairs({
        kind: "payment",
        ...paid,
        status: payStatus[status] ?? status,
        payTime,
        ...(parked.length > 0 ? { parked: parked.join(", ") } : {}),
      });
    } catch (error) {
      if (!isFailure(error, "payOrderUnknown")) throw error;
    }
    try {
      const { reason = "", ...gift } = await call(broker, "gift.findOrder", { orderId, operator });
      return pairs({ kind: "gift", ...gift, ...(reason ? { reason } : {}) });
    } catch (error) {
      if (!isFailure(error, "giftOrderUnknown")) throw error;
      return `neither a payment nor a gift has the order id ${orderId} (one that has waited for its settlement for hours, or that Redis has lost, is in "queue" alone)`;
    }
  },
};
