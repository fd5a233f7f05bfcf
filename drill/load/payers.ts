import { setTimeout as pause } from "node:timers/promises";
import type { HttpReply } from "../../bench/load/http-reply.ts";
import type { Answers } from "./answers.ts";
import { backOff, Client, envelopeOf, isPassing, shownReply } from "./client.ts";
import type { Room, User } from "./jobs.ts";
import { sendGift } from "./senders.ts";

/** 300 coins. */
const product = { productId: 6, coins: 300 };
/** More of these than a purchase pays for. */
const dear = { giftId: 22, coins: 90 };
const giftsPerPurchase = 4;
const giveUpMs = 60_000;

interface PayerOptions {
  readonly user: User;
  readonly room: Room;
  readonly perSecond: number;
  readonly port: number;
  readonly name: string;
  isOn(): boolean;
}

/** Somebody who buys coins at the sandbox cashier and sends gifts for more than these, while `isOn`. */
export async function payAndSend(answers: Answers, options: PayerOptions): Promise<void> {
  const { user, room, perSecond, port, name, isOn } = options;
  const client = new Client(port, user.token);
  const everyMs = 1_000 / perSecond;
  let number = 0;
  try {
    await pause(Math.random() * everyMs);
    for (let due = performance.now(); isOn(); ) {
      due = Math.max(due + everyMs, performance.now());
      await purchase(answers, client, user);
      for (let n = 0; n < giftsPerPurchase && isOn(); n++)
        await sendGift(answers, { client, user, name }, { ...dear, room, number: number++, isPoor: true });
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
    }
  } finally {
    client.close();
  }
}

async function purchase(answers: Answers, client: Client, user: User): Promise<void> {
  const terms = { productId: product.productId, paySource: 1, payChannel: 3 };
  const order = await untilDecided(answers, "bank/payProduct", () => client.post("/live/api/bank/payProduct", terms));
  const data = order && envelopeOf(order)?.data;
  if (!data) return;
  const { orderId, payUrl } = data as { orderId: string; payUrl: string };
  const { pathname, search } = new URL(payUrl);
  const press = () => client.send(pathname + search, "application/x-www-form-urlencoded", "action=pay");
  const paid = await untilDecided(answers, "cashier", press);
  const outcome = paid !== undefined && paid.status === 200 ? "accepted" : "unknown";
  answers.paid({ orderId, userId: user.userId, coins: product.coins, paidAt: Date.now(), outcome });
}

/** The first answer of somebody who decided, after repeats; `undefined` where there is none for long. */
async function untilDecided(
  answers: Answers,
  what: string,
  ask: () => Promise<HttpReply>,
): Promise<HttpReply | undefined> {
  const begun = Date.now();
  for (let tries = 0; Date.now() - begun < giveUpMs; tries++) {
    const reply = await ask().catch((error: Error) => error);
    if (!isPassing(reply)) {
      const { status } = reply as HttpReply;
      if (status !== 200) answers.failed(`${what} ${shownReply(reply)}`);
      return reply as HttpReply;
    }
    answers.failed(`${what} ${shownReply(reply)}`);
    await backOff(tries);
  }
  return undefined;
}
