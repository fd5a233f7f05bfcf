import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { type DeadLetter, type DeadLetters, ReplayRefused } from "../../mixins/jetstream/dead-letters.ts";
import { isOriginOfTable } from "../dead-letter-origins.ts";
import { orderOfBody, ordersOfBody, shownBody } from "../dead-letter-text.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { DeadLetterView, provisionerActions } from "./provisioner.contract.ts";

type Names =
  | "deadLetters"
  | "deadLetter"
  | "countDeadLetters"
  | "wholeDeadLetter"
  | "replayDeadLetter"
  | "removeDeadLetter";

/** One line of a foreign publisher, who may have written anything of any length. */
const line = (text: string) =>
  text.replace(/\p{C}/gu, " ").slice(0, limits.jetstream.deadLetterLineChars).toWellFormed();

function viewOf({ sequence, time, channel, subject, reason, forged, data }: DeadLetter): DeadLetterView {
  return {
    ...{ id: sequence, time: time.toISOString(), channel: line(channel), subject: line(subject) },
    ...{ reason: line(reason), orderId: orderOfBody(data) },
    ...{ forged: forged !== undefined, unknownKey: forged === "unknownKey", size: data.length },
  };
}

/** Fails: deadLetterGone, also where the number is one of a stream that was made again, and so of another letter. */
async function found(dead: DeadLetters, id: number, time?: string): Promise<DeadLetter> {
  const letter = await dead.find(id);
  if (!letter || (time !== undefined && letter.time.toISOString() !== time)) throw fail("deadLetterGone", { id });
  return letter;
}

/**
 * The dead letters for staff. Who may do what is decided by the service staff, which alone may have one put back or
 * removed; nobody can have other bytes published than those of a dead letter, nor elsewhere than its consumer reads.
 */
export const deadLetterActions: ActionDefinitions<
  Service & { dead: DeadLetters },
  Pick<typeof provisionerActions, Names>
> = {
  deadLetters: {
    async handler({ params: { cursor, limit } }) {
      const page = await this.dead.page({ after: Math.min(Number(cursor ?? 0), Number.MAX_SAFE_INTEGER - 1), limit });
      const list = fittingPage(page.list.map(viewOf), limits.bus.listBytes);
      const more = page.more || list.length < page.list.length;
      return { list, nextCursor: more ? String(list.at(-1)?.id) : null };
    },
  },
  deadLetter: {
    async handler({ params: { id } }) {
      const letter = await found(this.dead, id);
      return { ...viewOf(letter), orderIds: ordersOfBody(letter.data), ...shownBody(letter.data) };
    },
  },
  countDeadLetters: {
    async handler() {
      return { count: await this.dead.count() };
    },
  },
  wholeDeadLetter: {
    async handler({ params: { id } }) {
      const letter = await found(this.dead, id);
      const most = limits.jetstream.deadLetterKeptBytes;
      if (letter.data.length > most)
        throw fail("deadLetterRefused", { id, why: `it has more than ${most} bytes: give it up by npm run dlq` });
      const dataBase64 = Buffer.from(letter.data).toString("base64");
      return { ...viewOf(letter), orderIds: ordersOfBody(letter.data), dataBase64 };
    },
  },
  replayDeadLetter: {
    async handler({ params: { id, time, keyIsBack } }) {
      const { channel, subject } = await found(this.dead, id, time);
      const isBack = await this.dead.replay(id, isOriginOfTable, { keyIsBack }).catch((error: unknown) => {
        throw error instanceof ReplayRefused ? fail("deadLetterRefused", { id, why: error.message }) : error;
      });
      if (!isBack) throw fail("deadLetterGone", { id });
      this.logger.info({ id, channel, subject }, "a dead letter is back in its stream");
    },
  },
  removeDeadLetter: {
    async handler({ params: { id, time } }) {
      const { channel, subject } = await found(this.dead, id, time);
      if (!(await this.dead.remove(id))) throw fail("deadLetterGone", { id });
      this.logger.info({ id, channel, subject }, "a dead letter is given up: its record is with the service staff");
    },
  },
};
