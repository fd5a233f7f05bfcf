import type { z } from "zod";
import { limits } from "../../config/limits.ts";
import type { ChannelMessage } from "../../mixins/jetstream.mixin.ts";
import { paymentTopics } from "../payment/payment.contract.ts";
import { parseMessage } from "../safe-parse.ts";
import { topicStream } from "../streams.ts";
import { refundId } from "./business-ids.ts";
import type { Command, Outcome } from "./posting.ts";
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

async function carryOut(
  writer: LedgerCommands,
  messages: readonly ChannelMessage[],
  toCommand: (message: TopicMessage) => Command,
): Promise<void> {
  const orders = messages.map(({ data }) => data as TopicMessage);
  const outcomes = await Promise.all(orders.map((order) => writer.submit(toCommand(order))));
  const refused = outcomes.findIndex((outcome: Outcome) => outcome.status === "refused");
  if (refused >= 0) {
    const { reason } = outcomes[refused] as Extract<Outcome, { status: "refused" }>;
    throw new Error(`the ledger refused order ${orders[refused]?.orderId}: ${reason}`);
  }
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
