import type { Service } from "moleculer";
import { fail, failureName, isFailure, reachedNobody } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { call } from "../../contracts.ts";
import type { DeadLetterView } from "../../provisioner/provisioner.contract.ts";
import type { HandledDeadLetter, LetterDecision } from "../dead-letters.contract.ts";
import {
  addHandling,
  beginAgain,
  endHandling,
  endLease,
  findHandled,
  findUnended,
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
  readonly letter: DeadLetterView;
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

/** The id of the decision, which is durable. Fails: deadLetterGone, deadLetterRefused. */
async function begin({ mysql }: Staff, handling: NewHandling): Promise<string> {
  const { letter, decision } = handling;
  const added = await addHandling(mysql, handling);
  if (added !== undefined) return added;
  const { id, verdict } = await beginAgain(mysql, handling, (known) => mayBegin(known, decision));
  if (verdict === "gone") throw fail("deadLetterGone", { id: letter.id });
  if (verdict === "replayFirst")
    throw fail("deadLetterRefused", { id: letter.id, why: "a replay of it has begun, and may be done: replay it" });
  return id;
}

async function carryOut({ broker }: Staff, { letter: { id, time } }: Found, wanted: Wanted): Promise<void> {
  const { decision, keyIsBack, requestId } = wanted;
  const options = requestId === null ? {} : { requestID: requestId };
  if (decision === "replay") await call(broker, "provisioner.replayDeadLetter", { id, time, keyIsBack }, options);
  else await call(broker, "provisioner.removeDeadLetter", { id, time }, options);
}

async function ended({ mysql }: Staff, id: string): Promise<HandledDeadLetter> {
  await endHandling(mysql, id, "done");
  return (await findHandled(mysql, id)) as HandledDeadLetter;
}

/** Whether an error says for certain that nothing was done to the letter. */
function isCertain(error: unknown): boolean {
  const name = failureName(error);
  return name === undefined ? reachedNobody(error) : name !== "unavailable";
}

/**
 * Carries out a person's decision on a dead letter, once. It is written before anything happens. Where the node dies, or
 * the outcome is not known, the same decision again goes on from there: a replay of what is back already is recognized
 * by its business id. Fails: deadLetterGone, deadLetterRefused, unavailable.
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
    const settle = isCertain(error) ? endHandling(staff.mysql, handling, "freed") : endLease(staff.mysql, handling);
    await settle.catch((err: unknown) =>
      staff.logger.warn({ err, id, handling }, "a decision on a dead letter stays begun: it may be repeated later"),
    );
    throw error;
  }
  return ended(staff, handling);
}
