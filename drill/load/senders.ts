import { setTimeout as pause } from "node:timers/promises";
import type { HttpReply } from "../../bench/load/http-reply.ts";
import { failures } from "../../config/errors.ts";
import { orderIdOf } from "../../services/gift-order-id.ts";
import type { Answers } from "./answers.ts";
import { backOff, Client, envelopeOf, isPassing, shownReply } from "./client.ts";
import type { GiftOutcome, Room, User } from "./jobs.ts";

/** The cheapest gift. */
const cheapest = { giftId: 24, coins: 1 };
/** A sender who is not answered does not make up for more than this later. */
const lateMs = 1_000;
/** A gift that is not answered clearly for so long is given up: its outcome is unknown. */
const giveUpMs = 60_000;

interface GiftToSend {
  readonly giftId: number;
  readonly coins: number;
  readonly room: Room;
  readonly number: number;
  readonly isPoor: boolean;
}

/** Sends a gift, again under its request id where nobody decided on it, and notes what came of it. */
export async function sendGift(
  answers: Answers,
  { client, user, name }: { client: Client; user: User; name: string },
  { giftId, coins, room, number, isPoor }: GiftToSend,
): Promise<void> {
  const requestId = `drill-${name}-${number}`;
  const orderId = orderIdOf(user.userId, requestId);
  const body = { giftId, roomId: room.roomId, receiverId: room.anchorId, type: 0, count: 1, requestId };
  const sentAt = Date.now();
  let mayBeAccepted = false;
  let outcome: GiftOutcome | undefined;
  for (let tries = 0; outcome === undefined; tries++) {
    const reply = await client.post("/live/api/gift/send", body).catch((error: Error) => error);
    outcome = outcomeOf(reply);
    if (outcome === "accepted") answers.named((envelopeOf(reply as HttpReply)?.data?.orderId as string) === orderId);
    else if (!isPoor || !isShortOfCoins(reply)) answers.failed(`gift/send ${shownReply(reply)}`);
    if (outcome === undefined && isUnsure(reply)) mayBeAccepted = true;
    // What was perhaps accepted earlier is not refused by a later answer.
    if (outcome === "refused" && mayBeAccepted) outcome = "unknown";
    if (outcome !== undefined) break;
    if (Date.now() - sentAt > giveUpMs) outcome = mayBeAccepted ? "unknown" : "refused";
    else await backOff(tries);
  }
  const about = { orderId, senderId: user.userId, roomId: room.roomId, number, coins, isPoor };
  answers.sent({ ...about, sentAt, answeredAt: Date.now(), outcome: outcome as GiftOutcome });
}

/** What somebody without coins is to be told. */
function isShortOfCoins(reply: HttpReply | Error): boolean {
  return !(reply instanceof Error) && envelopeOf(reply)?.code === failures.balanceShort.code;
}

/** `undefined`: nobody has decided. */
function outcomeOf(reply: HttpReply | Error): GiftOutcome | undefined {
  if (isPassing(reply)) return undefined;
  return envelopeOf(reply as HttpReply)?.code === 200 ? "accepted" : "refused";
}

/**
 * Whether a gift may have been accepted although it was not answered so. Ovation's 503 names the order then. The entrance's
 * says nothing: it ends connections to a gateway that is down, whatever was sent on them.
 */
function isUnsure(reply: HttpReply | Error): boolean {
  if (reply instanceof Error) return (reply as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  return envelopeOf(reply) === undefined || reply.body.includes('"orderId":"');
}

/** Somebody who sends gifts at a steady rate, one after the other, while `isOn`. */
export async function sendSteadily(
  answers: Answers,
  { user, rooms, perSecond, port, name, isOn }: SteadyOptions,
): Promise<void> {
  const client = new Client(port, user.token);
  const everyMs = 1_000 / perSecond;
  let due = performance.now() + Math.random() * everyMs;
  try {
    for (let number = 0; ; number++) {
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      if (!isOn()) return;
      due = Math.max(due + everyMs, performance.now() - lateMs);
      const room = rooms[number % rooms.length] as Room;
      await sendGift(answers, { client, user, name }, { ...cheapest, room, number, isPoor: false });
    }
  } finally {
    client.close();
  }
}

interface SteadyOptions {
  readonly user: User;
  readonly rooms: readonly Room[];
  readonly perSecond: number;
  readonly port: number;
  readonly name: string;
  isOn(): boolean;
}
