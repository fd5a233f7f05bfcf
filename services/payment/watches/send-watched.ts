import type { Transaction } from "../../../mixins/mysql/database.ts";
import type { OutboxMessage, OutboxState } from "../../../mixins/outbox.mixin.ts";
import { effectOf } from "../messages.ts";
import { insertMessageWatch } from "./message-watch-store.ts";
import { againAfter, nextMessageLook } from "./watch-times.ts";

/**
 * Writes a message to a topic in the transaction. A message to the wallet is watched until its effect is in the
 * wallet's books, since the stream may lose what it has acked.
 */
export async function sendWatched({ outbox }: OutboxState, tx: Transaction, message: OutboxMessage): Promise<void> {
  await outbox.add(tx, message);
  const { subject, payload, orderKey: orderId } = message;
  const effect = effectOf(subject);
  const now = Date.now();
  if (!effect) return;
  const watch = { orderId, effect, subject, payload, againTime: againAfter(0, now) };
  await insertMessageWatch(tx, watch, nextMessageLook(0, now));
}
