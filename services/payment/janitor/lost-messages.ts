import { limits } from "../../../config/limits.ts";
import type { Recovery } from "../../../mixins/jetstream/recoveries.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import type { OutboxMessage } from "../../../mixins/outbox.mixin.ts";
import { topicStream } from "../../streams.ts";
import type { PaymentDesk } from "../desk.ts";
import { type Effect, effectOf, effects } from "../messages.ts";
import { againAfter, isOverdue, nextMessageLook } from "./message-times.ts";
import {
  dueMessages,
  hurryMessages,
  insertMessageWatch,
  type MessageWatch,
  noteAgain,
  noteUnsent,
  postponeMessages,
  removeMessageWatches,
} from "./message-watch-store.ts";

/** What the wallet's books show, and who counts what is published again. */
export interface MessagePorts {
  /** Those of the orders, `limits.payment.janitorMessages` at the most, whose effect is in the wallet's books. */
  shown(effect: Effect, orderIds: readonly string[]): Promise<string[]>;
  publishedAgain(effect: Effect): void;
}

/**
 * Writes a message to a topic in the transaction; one to the wallet is watched until the wallet's books show it, since the
 * stream may lose what it has acked.
 */
export async function sendWatched(desk: PaymentDesk, tx: Transaction, message: OutboxMessage): Promise<void> {
  await desk.outbox.add(tx, message);
  const { subject, payload, orderKey: orderId } = message;
  const effect = effectOf(subject);
  const now = Date.now();
  if (effect)
    await insertMessageWatch(
      tx,
      { orderId, effect, subject, payload, againTime: againAfter(0, now) },
      nextMessageLook(0, now),
    );
}

/**
 * Asks the wallet about the messages that are due: what its books show is watched no longer, and what they lack for too
 * long is published again. While the wallet cannot say, nothing is done. Whether there may be more that are due.
 */
export async function lookAfterMessages(desk: PaymentDesk, ports: MessagePorts): Promise<boolean> {
  const due = await dueMessages(desk.mysql, limits.payment.janitorMessages);
  for (const effect of effects) {
    const asked = due.filter((message) => message.effect === effect);
    if (asked.length === 0) continue;
    // The outbox first: what leaves it after it was read is not in the books when they are, and not lost either.
    const unsent = await desk.outbox.unsent(asked.map(orderIdOf));
    let shown: Set<string>;
    try {
      shown = new Set(await ports.shown(effect, asked.map(orderIdOf)));
    } catch (error) {
      const about = { err: error, effect, orders: asked.length, first: asked[0]?.orderId };
      desk.logger.warn(about, "the wallet cannot be asked about its messages: asked again soon, nothing is published");
      return false;
    }
    await removeMessageWatches(desk.mysql, effect, [...shown]);
    const missing = asked.filter(({ orderId }) => !shown.has(orderId));
    await lookAfterUnsent(
      desk,
      effect,
      missing.filter(({ orderId }) => unsent.has(orderId)),
    );
    await lookAfterMissing(
      desk,
      ports,
      effect,
      missing.filter(({ orderId }) => !unsent.has(orderId)),
    );
  }
  return due.length === limits.payment.janitorMessages;
}

/**
 * Where the stream of the topics was made anew, the wait for what it may have lost is over: the wallet is asked about
 * everything that is watched, once it had time for what the outbox sends again.
 */
export function messageRecovery(desk: PaymentDesk): Recovery {
  return {
    name: "watched messages",
    stream: topicStream,
    once: true,
    async run() {
      const now = Date.now();
      const messages = await hurryMessages(
        desk.mysql,
        new Date(now + limits.payment.messageLookAfterLossMs),
        new Date(now),
      );
      if (messages > 0)
        desk.logger.warn({ messages }, "the stream of the topics is a new one: the wallet is asked about its messages");
    },
  };
}

const orderIdOf = ({ orderId }: MessageWatch) => orderId;

/** What had not left the outbox is late and not lost: it is waited for from now on, as if it had just been sent. */
async function lookAfterUnsent(desk: PaymentDesk, effect: Effect, unsent: readonly MessageWatch[]): Promise<void> {
  const now = Date.now();
  for (const [again, messages] of Map.groupBy(unsent, (message) => message.again))
    await noteUnsent(desk.mysql, effect, messages.map(orderIdOf), nextMessageLook(1, now), againAfter(again, now));
}

async function lookAfterMissing(
  desk: PaymentDesk,
  ports: MessagePorts,
  effect: Effect,
  missing: readonly MessageWatch[],
): Promise<void> {
  const now = Date.now();
  const lost = new Set(missing.filter((message) => isOverdue(message, now)));
  const waiting = Map.groupBy(
    missing.filter((message) => !lost.has(message)),
    ({ asked }) => nextMessageLook(asked + 1, now).getTime(),
  );
  for (const [next, messages] of waiting)
    await postponeMessages(desk.mysql, effect, messages.map(orderIdOf), new Date(next));
  for (const message of lost) await publishAgain(desk, ports, message);
  if (lost.size > 0) desk.outbox.wake();
}

const complaints: Readonly<Record<Effect, string>> = {
  credit: "a paid order is not credited: its message is published again",
  refund: "the coins of a refunded order were not taken back: its message is published again",
};

/** A new row of the outbox, with a message id of its own: the stream and the outbox know the former one as done. */
async function publishAgain(desk: PaymentDesk, ports: MessagePorts, message: MessageWatch): Promise<void> {
  const { orderId, effect, subject, payload } = message;
  const again = message.again + 1;
  const now = Date.now();
  const published = await desk.mysql.transaction(async (tx) => {
    if (!(await noteAgain(tx, message, nextMessageLook(0, now), againAfter(again, now)))) return false;
    const msgId = `${subject}:${orderId}:again:${again}`;
    await desk.outbox.add(tx, { subject, msgId, payload, orderKey: orderId });
    return true;
  });
  if (!published) return;
  ports.publishedAgain(effect);
  desk.logger.error({ orderId, subject, again }, complaints[effect]);
}
