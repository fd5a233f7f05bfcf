import { limits } from "../../../config/limits.ts";
import type { Recovery } from "../../../mixins/jetstream/recoveries.ts";
import { topicStream } from "../../streams.ts";
import { type Effect, effects } from "../messages.ts";
import type { PaymentContext } from "../payment-context.ts";
import {
  dueMessages,
  hurryMessages,
  type MessageWatch,
  noteAgain,
  noteUnsent,
  postponeMessages,
  removeMessageWatches,
  storeMessage,
} from "../watches/message-watch-store.ts";
import { NotGenuine, sendAgain } from "../watches/send-watched.ts";
import { againAfter, isOverdue, nextMessageLook } from "../watches/watch-times.ts";
import type { Job } from "./job.ts";

/** Access to the wallet's books, and a counter of messages that are published again. */
export interface MessagePorts {
  /** Those of the orders, at most `limits.payment.maintenanceMessages`, whose effect is in the wallet's books. */
  shown(effect: Effect, orderIds: readonly string[]): Promise<string[]>;
  publishedAgain(effect: Effect): void;
}

/**
 * Asks the wallet about the messages that are due. A message whose effect is in the books is no longer watched; one
 * whose effect is missing for too long is published again. While the wallet does not answer, nothing is done.
 */
export function lostMessagesJob(context: PaymentContext, ports: MessagePorts): Job<MessageWatch> {
  return {
    name: "lost-messages",
    everyMs: limits.payment.maintenancePollMs,
    atOnce: limits.payment.maintenanceMessages,
    portion: limits.payment.maintenanceMessages,
    due: (limit) => dueMessages(context.mysql, limit),
    handle: (messages) => checkMessages(context, ports, messages),
  };
}

/** Returns whether the wallet answered. */
async function checkMessages(
  context: PaymentContext,
  ports: MessagePorts,
  messages: readonly MessageWatch[],
): Promise<boolean> {
  for (const effect of effects) {
    const asked = messages.filter((message) => message.effect === effect);
    if (asked.length === 0) continue;
    // The outbox is read first. A message that leaves it after that may not be in the books yet, and is not lost.
    const unsent = await context.outbox.unsent(asked.map(orderIdOf));
    let shown: Set<string>;
    try {
      shown = new Set(await ports.shown(effect, asked.map(orderIdOf)));
    } catch (error) {
      const about = { err: error, effect, orders: asked.length, first: asked[0]?.orderId };
      context.logger.warn(
        about,
        "the wallet cannot be asked about its messages: asked again soon, nothing is published",
      );
      return false;
    }
    await removeMessageWatches(context.mysql, effect, [...shown]);
    const missing = asked.filter(({ orderId }) => !shown.has(orderId));
    await restartUnsent(
      context,
      effect,
      missing.filter(({ orderId }) => unsent.has(orderId)),
    );
    await checkMissing(
      context,
      ports,
      effect,
      missing.filter(({ orderId }) => !unsent.has(orderId)),
    );
  }
  return true;
}

/**
 * After the stream of the topics was made again, lost messages need not wait for their time: the wallet is asked about
 * all watched messages, once it had time for those that the outbox sends again.
 */
export function messageRecovery(context: PaymentContext): Recovery {
  return {
    name: "watched messages",
    stream: topicStream,
    once: true,
    async run() {
      const now = Date.now();
      const messages = await hurryMessages(
        context.mysql,
        new Date(now + limits.payment.messageLookAfterLossMs),
        new Date(now),
      );
      if (messages > 0)
        context.logger.warn(
          { messages },
          "the stream of the topics was made again: the wallet is asked about its messages",
        );
    },
  };
}

const orderIdOf = ({ orderId }: MessageWatch) => orderId;

/** A message that is still in the outbox is late, not lost: its time starts now. */
async function restartUnsent(context: PaymentContext, effect: Effect, unsent: readonly MessageWatch[]): Promise<void> {
  const now = Date.now();
  for (const [again, messages] of Map.groupBy(unsent, (message) => message.again))
    await noteUnsent(context.mysql, effect, messages.map(orderIdOf), nextMessageLook(1, now), againAfter(again, now));
}

async function checkMissing(
  context: PaymentContext,
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
    await postponeMessages(context.mysql, effect, messages.map(orderIdOf), new Date(next));
  for (const message of lost) await publishAgain(context, ports, message);
  if (lost.size > 0) context.outbox.wake();
}

const complaints: Readonly<Record<Effect, string>> = {
  credit: "a paid order is not credited: its message is published again",
  refund: "the coins of a refunded order were not taken back: its message is published again",
};

/** A new row of the outbox, with a new message id: stream and outbox would take the former id for a repeat. */
async function publishAgain(context: PaymentContext, ports: MessagePorts, message: MessageWatch): Promise<void> {
  const { orderId, effect, subject, text } = message;
  const again = message.again + 1;
  const now = Date.now();
  try {
    const published = await context.mysql.transaction(async (tx) => {
      if (!(await noteAgain(tx, message, nextMessageLook(0, now), againAfter(again, now)))) return false;
      const msgId = `${subject}:${orderId}:again:${again}`;
      await storeMessage(tx, message, await sendAgain(context, tx, { subject, msgId, orderKey: orderId, text }));
      return true;
    });
    if (!published) return;
  } catch (error) {
    if (!(error instanceof NotGenuine)) throw error;
    context.logger.error(
      { err: error, orderId, effect, subject },
      "a watched message is not signed by payment: it is not published; find out who can write to t_pay_message_watch",
    );
    await postponeMessages(context.mysql, effect, [orderId], nextMessageLook(message.asked + 1, now));
    return;
  }
  ports.publishedAgain(effect);
  context.logger.error({ orderId, subject, again }, complaints[effect]);
}
