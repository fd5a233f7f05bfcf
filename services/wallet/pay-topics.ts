import type { z } from "zod";
import { limits } from "../../config/limits.ts";
import { SomeNotHandled } from "../../mixins/jetstream/some-not-handled.ts";
import type { ChannelMessage } from "../../mixins/jetstream.mixin.ts";
import { paymentTopics } from "../payment/payment.contract.ts";
import { parseMessage } from "../safe-parse.ts";
import { topicStream } from "../streams.ts";
import { refundId } from "./business-ids.ts";
import type { Command } from "./posting.ts";
import { submitApart } from "./submit-apart.ts";
import type { WalletState } from "./wallet-state.ts";
import type { LedgerCommands } from "./writer-ports.ts";

/** The fields that the wallet reads; they are the same in messages of both topics. */
const topicMessage = paymentTopics["pay.recharge"].pick({ orderId: true, userId: true, coins: true });
type TopicMessage = z.output<typeof topicMessage>;

/** The common settings of the channels of the payment topics. */
export const payTopic = {
  stream: topicStream,
  batch: limits.wallet.batchCommands,
  batchesInFlight: 1,
  signatures(this: Pick<WalletState, "signatures">) {
    return this.signatures;
  },
  parse: (message: unknown) => parseMessage(topicMessage, message),
  key: ({ userId }: TopicMessage) => userId,
} as const;

/** Rejects with SomeNotHandled: the orders of other users are carried out. */
async function carryOut(
  writer: LedgerCommands,
  messages: readonly ChannelMessage[],
  toCommand: (message: TopicMessage) => Command,
): Promise<void> {
  const orders = messages.map(({ data }) => data as TopicMessage);
  const results = await submitApart(writer, orders.map(toCommand));
  const failed = new Map<ChannelMessage, unknown>();
  for (const [at, result] of results.entries()) {
    const message = messages[at] as ChannelMessage;
    if (result.status === "rejected") failed.set(message, result.reason);
    else if (result.value.status === "refused")
      failed.set(message, new Error(`the ledger refused order ${orders[at]?.orderId}: ${result.value.reason}`));
  }
  if (failed.size > 0) throw new SomeNotHandled(failed);
}

/** Credits paid orders, each once by its order id. Committed when it resolves. */
export function creditRecharges(writer: LedgerCommands, messages: readonly ChannelMessage[]): Promise<void> {
  return carryOut(writer, messages, ({ orderId, userId, coins }) => ({
    kind: "recharge",
    bizId: orderId,
    userId,
    coins,
  }));
}

/** Takes back the coins of refunded orders, each once; spent coins become a debt. Committed when it resolves. */
export function takeBackRefunds(writer: LedgerCommands, messages: readonly ChannelMessage[]): Promise<void> {
  return carryOut(writer, messages, ({ orderId, userId, coins }) => ({
    kind: "refund",
    bizId: refundId(orderId),
    userId,
    coins,
  }));
}
