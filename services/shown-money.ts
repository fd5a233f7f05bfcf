import { z } from "zod";

/** Payment orders, statements and incomes in the answers of the gateways. */

export const shownPayOrder = z.object({
  orderId: z.string(),
  productId: z.int(),
  status: z.int().meta({ description: "0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded" }),
  coinNum: z.int(),
  amount: z.int().meta({ description: "Fen." }),
  payTime: z.string().optional(),
});

/** The part of a statement row that changed the owner's debt. */
const shownDebt = z.object({
  change: z.int().meta({ description: "Above 0 what a refund could not take back, below 0 what was paid off." }),
  after: z.int().meta({ description: "The whole debt after it." }),
  orders: z
    .array(z.object({ orderId: z.string(), coins: z.int() }))
    .meta({ description: "The refunded orders whose debt it is." }),
});

/** A row of a statement. */
export const shownTrade = z.object({
  id: z.string(),
  num: z.int(),
  type: z.int().meta({ description: "0 gift, 1 recharge, 2 refund, 3 adjustment" }),
  status: z.int().meta({ description: "0 rejected, 1 valid" }),
  bizId: z.string(),
  balanceAfter: z.int(),
  createTime: z.string(),
  orderId: z.string().optional().meta({
    description: "The payment order of a recharge or refund; where a recharge paid a debt off, the recharge's order.",
  }),
  externalOrderId: z.string().optional().meta({
    description: "The platform's order of coins that it sold itself, also where they paid a debt off.",
  }),
  debt: shownDebt.optional(),
});

/** The income of an anchor. */
export const shownIncome = z.object({
  income: z.int().meta({ description: "incomePoints in whole coins, rounded down: for display." }),
  incomePoints: z.int().meta({
    description: `What was earned, less what is held back and what was paid out; 100 points to a coin. Below 0 where
          what is held back had been paid out before: later income makes up for it.`.replace(/\s+/g, " "),
  }),
  earned: z.int(),
  earnedPoints: z.int(),
  heldBack: z.int(),
  heldBackPoints: z
    .int()
    .meta({ description: "Shares of gifts that were paid with refunded coins, held by an operator." }),
  paidOut: z.int(),
  paidOutPoints: z.int(),
  settledUpTo: z.string(),
});
