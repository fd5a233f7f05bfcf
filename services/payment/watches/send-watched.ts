import { forgedReason } from "../../../mixins/jetstream/signatures.ts";
import type { MessageSignatures } from "../../../mixins/jetstream.mixin.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import type { OutboxMessage } from "../../../mixins/outbox.mixin.ts";
import { effectOf } from "../messages.ts";
import type { PaymentContext } from "../payment-context.ts";
import { insertMessageWatch } from "./message-watch-store.ts";
import { againAfter, nextMessageLook } from "./watch-times.ts";

type Sending = Pick<PaymentContext, "outbox" | "signatures">;

/**
 * Signs a message to a topic and writes it in the transaction. It is signed here and not where it is published, so that
 * a row which somebody adds to the outbox is no order to the wallet. A message to the wallet is watched until its
 * effect is in the wallet's books, since the stream may lose what it has acked.
 */
export async function sendWatched(
  { outbox, signatures }: Sending,
  tx: Transaction,
  message: OutboxMessage,
): Promise<void> {
  const { subject, payload, orderKey: orderId } = message;
  const text = signatures.sign(subject, JSON.stringify(payload));
  await outbox.add(tx, { ...message, text, publishId: idOf(signatures, message.msgId) });
  const effect = effectOf(subject);
  const now = Date.now();
  if (!effect) return;
  await insertMessageWatch(
    tx,
    { orderId, effect, subject, text, againTime: againAfter(0, now) },
    nextMessageLook(0, now),
  );
}

/** The id for JetStream. Order ids are no secret, so it ends with what nobody can guess. */
const idOf = (signatures: MessageSignatures, msgId: string) => `${msgId}:${signatures.idOf(msgId)}`;

/** A stored message that is not signed as it was written. */
export class NotGenuine extends Error {}

/**
 * Writes a watched message in the transaction again, under a new id and with a new signature: the first one may be so
 * old that its key is about to be removed. Returns the signed message. @throws NotGenuine: nobody can make an order by
 * writing to the table.
 */
export async function sendAgain(
  { outbox, signatures }: Sending,
  tx: Transaction,
  { subject, text: former, orderKey, msgId }: Pick<OutboxMessage, "subject" | "orderKey" | "msgId"> & { text: string },
): Promise<string> {
  const opened = signatures.open(subject, former);
  if ("fault" in opened) throw new NotGenuine(forgedReason(opened.fault, signatures, Buffer.from(former)));
  const text = signatures.sign(subject, opened.body);
  await outbox.add(tx, { subject, msgId, orderKey, payload: undefined, text, publishId: idOf(signatures, msgId) });
  return text;
}
