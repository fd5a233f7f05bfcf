import type { ServiceBroker } from "moleculer";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { call } from "../../services/contracts.ts";
import { signedText } from "./signed-messages.ts";
import { eventually } from "./system.ts";

/**
 * Publishes on JetStream as a neighbour would, with its signature, and waits for the ack. A text is published as it is,
 * as one would that has no keys.
 */
export async function publish(subject: string, payload: object | string, msgID?: string): Promise<void> {
  const connection = await connectNats(natsOptions("test"));
  try {
    const body = typeof payload === "string" ? payload : signedText(subject, payload);
    const put = () => connection.jetstream().publish(natsPrefix() + subject, body, { msgID });
    // By its id it is stored once, also where JetStream did not answer for a moment.
    await (msgID === undefined ? put() : eventually(`${subject} is stored`, put, 20_000));
  } finally {
    await connection.close();
  }
}

/** A paid order's message, as payment's outbox publishes it. */
export function rechargeMessage(orderId: string, userId: string, coins: number) {
  return { orderId, userId, coins, amount: coins * 10, bizCode: 10001, time: new Date().toISOString() };
}

/** Gives a user coins the only way there is, and waits until they are in the account. */
export async function recharge(broker: ServiceBroker, orderId: string, userId: string, coins: number): Promise<void> {
  const before = await call(broker, "wallet.balance", { userId });
  await publish("pay.recharge", rechargeMessage(orderId, userId, coins), `pay.recharge:${orderId}`);
  await eventually(
    `order ${orderId} credited`,
    async () => {
      const now = await call(broker, "wallet.balance", { userId });
      return now.totalCharged >= before.totalCharged + coins;
    },
    25_000,
  );
}
