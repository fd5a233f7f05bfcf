import { createHmac, timingSafeEqual } from "node:crypto";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";
import type { Order } from "./order.ts";

/**
 * MACs of orders. Payment signs what its table says, so whoever may write that table could make coins: an order is
 * credited, and its coins are taken back, only as payment itself wrote it.
 *
 * - The terms (`terms_mac`), written when the order is made: who gets how many coins for how much money.
 * - The payment (`paid_mac`), written when a provider's genuine report marks the order paid.
 *
 * Both name the order, so neither can be copied to another one. The payment's does not cover the terms: it is genuine
 * also for an order whose terms were changed before it was paid, so that such an order can be credited once its row is
 * repaired, or its money refunded.
 *
 * A MAC is `KEY:MAC`: the name of the key, and base64url of HMAC-SHA256 over a context, the namespace and the values as
 * JSON. Nothing here reads or writes.
 */

type Terms = Pick<Order, "orderId" | "userId" | "productId" | "payChannel" | "amount" | "coins" | "bizCode">;
type Payment = Pick<Order, "orderId" | "payChannel" | "amount" | "transactionId" | "payTime">;

/** Makes and checks the MACs of orders with the keys of this process: the first key makes them, all of them verify. */
export interface OrderMacs {
  ofTerms(order: Terms): string;
  ofPayment(order: Payment): string;
  /** Why the terms are not those that the order was made with; `undefined` where they are. */
  termsFault(order: Terms & Pick<Order, "termsMac">): string | undefined;
  /** Why the payment is not one that a provider reported; `undefined` where it is. */
  paymentFault(order: Payment & Pick<Order, "paidMac">): string | undefined;
}

/** What a MAC is about, in its context and in a fault. */
type Part = "terms" | "payment";

const termsOf = ({ orderId, userId, productId, payChannel, amount, coins, bizCode }: Terms) => [
  ...[orderId, userId, productId, payChannel, amount, coins, bizCode],
];

const paymentOf = ({ orderId, payChannel, amount, transactionId, payTime }: Payment) => [
  ...[orderId, payChannel, amount, transactionId, payTime?.getTime() ?? null],
];

export function orderMacs(keys: NamedKeys, namespace: string): OrderMacs {
  const macWith = ({ secret }: NamedKey, part: Part, values: readonly unknown[]) =>
    createHmac("sha256", secret)
      .update(`ovation order ${part} v1\n${namespace}\n`)
      .update(JSON.stringify(values))
      .digest("base64url");
  const macOf = (part: Part, values: readonly unknown[]) => `${keys.signing.id}:${macWith(keys.signing, part, values)}`;
  const faultOf = (part: Part, values: readonly unknown[], stored: string | null): string | undefined => {
    if (stored === null) return `${part}: no MAC, so payment did not write this`;
    const [keyId = ""] = stored.split(":");
    const key = keys.all.get(keyId);
    if (!key) return `${part}: unknown key, PAY_KEYS has none named ${keyId.slice(0, 16)}`;
    const [right, given] = [Buffer.from(`${keyId}:${macWith(key, part, values)}`), Buffer.from(stored)];
    if (right.length === given.length && timingSafeEqual(right, given)) return undefined;
    return `${part}: changed, the MAC is of other values`;
  };
  return {
    ofTerms: (order) => macOf("terms", termsOf(order)),
    ofPayment: (order) => macOf("payment", paymentOf(order)),
    termsFault: (order) => faultOf("terms", termsOf(order), order.termsMac),
    paymentFault: (order) => faultOf("payment", paymentOf(order), order.paidMac),
  };
}
