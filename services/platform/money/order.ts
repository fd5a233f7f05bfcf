import type { MessageSignatures } from "../../../mixins/jetstream/signatures.ts";
import {
  type PlatformOrder,
  type PlatformOrderKind,
  type PlatformRefusal,
  platformBizId,
  platformOrder,
  platformOrderSubject,
} from "../../wallet/platform-orders.contract.ts";
import type { MoneyOrderState } from "./order-state.ts";

/** An order of the platform to move money. */

/** The number of each kind, in t_money_order.kind. */
export const orderKinds = ["credit", "adjust", "payout"] as const satisfies readonly PlatformOrderKind[];

/** The place of the signature of a proposal. The wallet carries out no text that is signed for it. */
export const proposalSubject = "platform.proposals";

/** What an adjustment by staff has in the place of an API key. No key has this id. */
export const staffKey = "staff";

/** The beginning of the ids of staff's adjustments, which no API key may give. */
export const staffIds = "staff:";

/** What is ordered: coins of a credit or an adjustment, points of a payout. */
export interface OrderContent {
  readonly kind: PlatformOrderKind;
  /** The platform's id of it; of an adjustment the id of its write. */
  readonly externalId: string;
  readonly userId: string;
  readonly amount: number;
}

export interface NewOrder extends OrderContent {
  readonly reason: string | null;
  readonly keyId: string;
}

export interface MoneyOrder extends NewOrder {
  readonly id: string;
  /** Whether it began as a proposal. */
  readonly proposed: boolean;
  readonly signed: string;
  readonly state: MoneyOrderState;
  readonly refusal: PlatformRefusal | null;
  readonly balanceAfter: number | null;
}

export const bizIdOf = ({ kind, externalId }: Pick<OrderContent, "kind" | "externalId">): string =>
  platformBizId(kind, externalId);

/** The platform's id in a business id. */
export const externalIdIn = (kind: PlatformOrderKind, bizId: string): string =>
  bizId.slice(bizIdOf({ kind, externalId: "" }).length);

/** The order as the wallet reads it. */
function toPlatformOrder({ kind, externalId: id, userId, amount }: OrderContent): PlatformOrder {
  return kind === "payout" ? { kind, id, userId, points: amount } : { kind, id, userId, coins: amount };
}

export function sameContent(one: OrderContent, other: OrderContent): boolean {
  const { kind, externalId, userId, amount } = one;
  return kind === other.kind && externalId === other.externalId && userId === other.userId && amount === other.amount;
}

/** The signed text of an order, which its row keeps: nobody who can write the table alone can make one. */
export function signOrder(signatures: MessageSignatures, content: OrderContent, proposed: boolean): string {
  const place = proposed ? proposalSubject : platformOrderSubject;
  return signatures.sign(place, JSON.stringify(toPlatformOrder(content)));
}

/**
 * Why the signed text of a row is not an order, or a proposal (`proposed`), that this service made with the content of the
 * row; `undefined` where it is. The wallet decides by the text: this tells a changed row from an outage.
 */
export function faultOfRow(
  signatures: MessageSignatures,
  order: OrderContent & { signed: string },
  proposed = false,
): string | undefined {
  const opened = signatures.open(proposed ? proposalSubject : platformOrderSubject, order.signed);
  if ("fault" in opened) return opened.fault;
  const body: unknown = JSON.parse(opened.body);
  const parsed = platformOrder.safeParse(body);
  const same = parsed.success && JSON.stringify(parsed.data) === JSON.stringify(toPlatformOrder(order));
  return same ? undefined : "its columns differ from what was signed";
}
