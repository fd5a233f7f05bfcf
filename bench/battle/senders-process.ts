import { setTimeout as pause } from "node:timers/promises";
import { partitionOf } from "../../services/gift/accepted-gift.ts";
import { giftSignatures } from "../../services/signing-keys.ts";
import { giftTo, openGiftQueue, queuedMessage } from "../settle/gifts.ts";
import { Closing } from "../support/closing.ts";
import { carryOutJobs } from "../support/job-process.ts";
import { senderId } from "../support/seed.ts";

/**
 * Senders of gifts, in a process of their own. They put gifts into the queue as acceptance does, so that the cores have
 * time for what comes after it.
 */

/** Sender n of so many sends to room n modulo `rooms`, in turn, at a steady rate. */
export interface SendersJob {
  senders: number;
  rooms: number;
  perSecond: number;
  seconds: number;
}

export interface SendersReport {
  sent: number;
  /** From the first gift to the ack of the last one. */
  seconds: number;
}

/** The gifts of so long are accepted together: at 2000 gifts/s and four partitions 25 a message, as under load. */
const groupMs = 50;

const queue = openGiftQueue(new Closing());
const signatures = giftSignatures();

async function send({ senders, rooms, perSecond, seconds }: SendersJob): Promise<SendersReport> {
  const open = await queue;
  const acks: Promise<unknown>[] = [];
  const startedAt = performance.now();
  for (let sent = 0; sent < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000));
    const gifts = Array.from({ length: due - sent }, (_, n) => {
      const sender = (sent + n) % senders;
      return giftTo(sender % rooms, senderId(sender));
    });
    sent = due;
    const groups = Map.groupBy(gifts, (gift) => partitionOf(gift.senderId));
    const messages = [...groups].map(([partition, own]) => queuedMessage(signatures, partition, own));
    if (messages.length > 0) acks.push(open.fill(messages, () => {}));
    await pause(groupMs);
  }
  await Promise.all(acks);
  return { sent: perSecond * seconds, seconds: (performance.now() - startedAt) / 1_000 };
}

carryOutJobs(send);
