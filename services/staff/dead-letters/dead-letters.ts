import type { Service } from "moleculer";
import { fail, failureName, isFailure, reachedNobody } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { call } from "../../contracts.ts";
import type { HandledDeadLetter, LetterDecision } from "../dead-letters.contract.ts";
import {
  addHandling,
  type Begun,
  beginAgain,
  endDone,
  endFreed,
  endLease,
  findHandled,
  findUnended,
  type HandledLetter,
  type NewHandling,
} from "./dead-letter-store.ts";
import { mayBegin } from "./handling-state.ts";

type Staff = Pick<Service & MysqlState, "broker" | "mysql" | "logger">;

/** What a person wants done to a dead letter. */
export interface Wanted {
  readonly id: number;
  readonly decision: LetterDecision;
  readonly person: string;
  readonly reason: string;
  readonly keyIsBack: boolean;
  readonly requestId: string | null;
}

interface Found {
  readonly letter: HandledLetter;
  readonly data: Buffer | null;
}

/** The dead letter; with every byte where it is to be given up. Fails: deadLetterGone, deadLetterRefused. */
async function find({ broker }: Staff, { id, decision, requestId }: Wanted): Promise<Found> {
  const options = requestId === null ? {} : { requestID: requestId };
  if (decision === "replay")
    return { letter: await call(broker, "provisioner.deadLetter", { id }, options), data: null };
  const { dataBase64, ...letter } = await call(broker, "provisioner.wholeDeadLetter", { id }, options);
  return { letter, data: Buffer.from(dataBase64, "base64") };
}

/** What is said of a letter on which the other decision has begun. */
const otherBegan: Readonly<Record<LetterDecision, string>> = {
  replay: "giving it up has begun, and may be done: give it up",
  giveUp: "a replay of it has begun, and may be done: replay it",
};

/** The decision, which is durable. Fails: deadLetterGone, deadLetterRefused. */
async function begin({ mysql }: Staff, handling: NewHandling): Promise<Begun> {
  const { letter, decision } = handling;
  const added = await addHandling(mysql, handling);
  if (added !== undefined) return added;
  const begun = await beginAgain(mysql, handling, (known) => mayBegin(known, decision));
  if (begun === "gone") throw fail("deadLetterGone", { id: letter.id });
  if (begun === "other") throw fail("deadLetterRefused", { id: letter.id, why: otherBegan[decision] });
  return begun;
}

async function carryOut({ broker }: Staff, { letter: { id, time } }: Found, wanted: Wanted): Promise<void> {
  const { decision, keyIsBack, requestId } = wanted;
  const options = requestId === null ? {} : { requestID: requestId };
  if (decision === "replay") await call(broker, "provisioner.replayDeadLetter", { id, time, keyIsBack }, options);
  else await call(broker, "provisioner.removeDeadLetter", { id, time }, options);
}

async function ended({ mysql }: Staff, handling: Pick<Begun, "id" | "decision">): Promise<HandledDeadLetter> {
  await endDone(mysql, handling);
  const handled = await findHandled(mysql, handling.id);
  // A node of a database cluster may show a commit of another one a little later.
  if (!handled) throw fail("unavailable", { handledId: handling.id });
  return handled;
}

/** Whether an error says for certain that this attempt did nothing to the letter. */
function isCertain(error: unknown): boolean {
  const name = failureName(error);
  return name === undefined ? reachedNobody(error) : name !== "unavailable";
}

/**
 * Carries out a person's decision on a dead letter, once. It is written before anything happens. Where the node dies, or
 * the outcome is not known, the same decision again goes on from there, and no other one: a replay of what is back already
 * is recognized by its business id. Fails: deadLetterGone, deadLetterRefused, unavailable.
 */
export async function handleDeadLetter(staff: Staff, wanted: Wanted): Promise<HandledDeadLetter> {
  const { id, decision, person, reason } = wanted;
  let found: Found;
  try {
    found = await find(staff, wanted);
  } catch (error) {
    // An earlier attempt may have done it, and its node died before it could say so.
    const unended = isFailure(error, "deadLetterGone") && (await findUnended(staff.mysql, id, decision));
    if (unended) return ended(staff, unended);
    throw error;
  }
  const { deadLetterLeaseMs: leaseMs } = limits.staff;
  const handling = await begin(staff, { ...found, decision, person, reason, leaseMs });
  try {
    await carryOut(staff, found, wanted);
  } catch (error) {
    // An earlier attempt took effect meanwhile.
    if (handling.again && isFailure(error, "deadLetterGone")) return ended(staff, handling);
    // Of an earlier attempt this one's refusal says nothing.
    const nothingDone = isCertain(error) && !handling.again;
    const settle = nothingDone ? endFreed(staff.mysql, handling) : endLease(staff.mysql, handling);
    await settle.catch((err: unknown) =>
      staff.logger.warn({ err, id, handling }, "a decision on a dead letter stays begun: it may be repeated later"),
    );
    throw error;
  }
  return ended(staff, handling);
}
