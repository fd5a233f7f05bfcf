import { call, type ResultOf } from "../../services/contracts.ts";
import { type ReplCommand, TypedWrong } from "./command.ts";

/** Reads all orders, part by part. */
export const payKey: ReplCommand = {
  command: "pay-key <name>",
  description: "the orders that still need a key of PAY_KEYS",
  async run(broker, { name = "" }) {
    if (!/^[A-Za-z0-9_-]{1,16}$/.test(name)) throw new TypedWrong(`a key's name is like k1, not "${name}"`);
    const orders: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: ResultOf<"payment.ordersOfKey"> = await call(broker, "payment.ordersOfKey", {
        ...{ keyName: name, ...(cursor === undefined ? {} : { cursor }) },
      });
      orders.push(...page.list);
      cursor = page.nextCursor;
    }
    if (orders.length === 0) return `no order needs key ${name}`;
    return `${orders.join("\n")}\n${orders.length} order${orders.length === 1 ? "" : "s"} need key ${name}`;
  },
};
