import { expectBooksBalanced, rows } from "../../support/books.ts";
import { eventually } from "../../support/system.ts";

interface Trade {
  biz_id: string;
  num: string;
}

const tradesOfType = (type: number) =>
  rows<Trade>("wallet", "SELECT biz_id, num FROM t_qiyu_currency_trade WHERE type = ? AND status = 1", [type]);

/** Coins that were taken back or became a debt, by order. */
async function takenBack(): Promise<Map<string, number>> {
  const debts = await rows<Trade>("wallet", "SELECT biz_id, num FROM t_wallet_debt WHERE biz_id LIKE 'refund:%'");
  const taken = new Map<string, number>();
  const add = (bizId: string, coins: number) => {
    const orderId = bizId.replace(/^refund:/, "");
    taken.set(orderId, (taken.get(orderId) ?? 0) + coins);
  };
  // The others pay debts off; the debts themselves are counted below.
  for (const { biz_id, num } of await tradesOfType(2)) if (biz_id.startsWith("refund:")) add(biz_id, -Number(num));
  for (const { biz_id, num } of debts) add(biz_id, Number(num));
  return taken;
}

/**
 * The books at the end: each paid order has its one credit of its coins, each refunded one its credit and that taken
 * back, or neither, nothing else has a credit, and the ledger balances.
 */
export async function expectOrdersCredited(): Promise<void> {
  const orders = await rows<{ order_id: string; coins: string; status: number }>(
    "payment",
    "SELECT order_id, coins, status FROM t_pay_order",
  );
  const known = new Map(orders.map(({ order_id, coins, status }) => [order_id, { coins: Number(coins), status }]));
  const wrong = async () => {
    const trades = await tradesOfType(1);
    const credits = new Map(trades.map(({ biz_id, num }) => [biz_id, Number(num)]));
    const taken = await takenBack();
    return [
      ...[...credits.keys(), ...taken.keys()].filter((orderId) => !known.has(orderId)),
      ...(trades.length === credits.size ? [] : ["an order with two credits"]),
      ...[...known].flatMap(([orderId, { coins, status }]) => {
        const [credit = 0, back = 0] = [credits.get(orderId), taken.get(orderId)];
        if (status === 2) return credit === coins && back === 0 ? [] : [orderId];
        if (status === 5) return credit === back && (credit === coins || credit === 0) ? [] : [orderId];
        return credit === 0 && back === 0 ? [] : [orderId];
      }),
    ];
  };
  let last: string[] = [];
  await eventually(
    "every order credited as it is paid",
    async () => {
      last = await wrong();
      return last.length === 0;
    },
    30_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${last.join(", ")}`);
  });
  await expectBooksBalanced();
}
