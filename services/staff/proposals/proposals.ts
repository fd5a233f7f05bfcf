import { randomUUID } from "node:crypto";
import type { Context, Service, ServiceBroker } from "moleculer";
import { fail, isFailure, isUnavailable } from "../../../broker/failure.ts";
import { isFailureName } from "../../../config/errors.ts";
import { limits } from "../../../config/limits.ts";
import { isDuplicateKey } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { SealsState } from "../../../mixins/seals.mixin.ts";
import { call } from "../../contracts.ts";
import type { Decider } from "../deciders.ts";
import { beginErasure } from "../erasures/erasures.ts";
import type { MoneyMove, MoneyMoved, ProposalView } from "../proposals.contract.ts";
import { carryOut, refusalOf } from "./carry-out.ts";
import { isOf, keyOf, onceKeyOf, openKeyOf, subjectOf } from "./instruction.ts";
import { prepare } from "./prepare.ts";
import {
  decideProposal,
  type Ended,
  endProposal,
  insertProposal,
  latelyDone,
  noteUncounted,
  type Proposal,
  proposalOfOnceKey,
  proposalOfOpenKey,
} from "./proposal-store.ts";
import { requireProposal, writtenProposal } from "./written-proposal.ts";

type Staff = Service & MysqlState & SealsState;
type Caller = Pick<Context, "call"> | Pick<ServiceBroker, "call">;

/** What became of a decision. */
export type Decided = Pick<ProposalView, "state" | "refusal">;

type Outcome =
  | Extract<Ended, { state: "refused" }>
  | (Extract<Ended, { state: "done" }> & { result: Record<string, unknown> });

/** The second attempt is for a key that another node wrote between our read and our write. */
const maxAttempts = 2;

/**
 * Moves money for persons of the staff. The row comes first: from then on a move that nobody has to approve, or that
 * another person approved, is carried out once, by who asked for it, by who approved it, by a repeat, or by the job that
 * finishes what is left (proposal-job.ts). The platform service adds up what was moved by hand, since it adds up the
 * adjustments of API keys too: one sum under one lock.
 */
export class Proposals {
  private readonly staff: Staff;

  constructor(staff: Staff) {
    this.staff = staff;
  }

  /** See `moveMoney` in the contract. The person's session and right are checked. */
  async move(calling: Pick<Context, "call">, person: string, move: MoneyMove): Promise<MoneyMoved> {
    try {
      return await this.asked(calling, person, move);
    } catch (error) {
      return this.answerOf(calling, await this.earlier(error, person, move));
    }
  }

  private async asked(
    calling: Pick<Context, "call">,
    person: string,
    move: MoneyMove,
    attempt = 1,
  ): Promise<MoneyMoved> {
    const { mysql, seals } = this.staff;
    const known = await this.known(move);
    if (known) return this.answerOf(calling, known);
    const prepared = await prepare(calling, this.staff, move, `staff:${person}`);
    if ("result" in prepared) return { state: "done", result: prepared.result };
    const { instruction, userId, accounts } = prepared;
    const moveId = randomUUID();
    const counted = { moveId, key: keyOf(move), moves: [...accounts] };
    const { needsApproval } =
      accounts.length === 0 ? { needsApproval: true } : await call(calling, "platform.countStaffMove", counted);
    let id: string;
    try {
      id = await seals.transaction(mysql, (tx, sealing) =>
        insertProposal(
          tx,
          {
            ...{ instruction, userId, person, reason: move.reason, moveId, proposed: needsApproval },
            coins: accounts.reduce((sum, { coins }) => sum + coins, 0),
            ...{ subject: subjectOf(instruction), onceKey: onceKeyOf(move), openKey: openKeyOf(move) },
          },
          sealing,
        ),
      );
    } catch (error) {
      // Where it is not known whether the row is there, the move counts on: the sum may be too large, never too small.
      if (!isDuplicateKey(error)) throw error;
      if (accounts.length > 0) await this.uncount(calling, moveId);
      if (attempt < maxAttempts) return this.asked(calling, person, move, attempt + 1);
      throw fail("unavailable", { move: move.kind });
    }
    const proposal = await writtenProposal(this.staff.mysql, id);
    const { kind } = instruction;
    this.staff.logger.info({ proposalId: `s${id}`, kind, userId, person, proposed: needsApproval }, "a move of staff");
    return this.answerOf(calling, proposal);
  }

  /**
   * Approves or declines a proposal of this service; an approved one is carried out. Fails: proposalUnknown, ownProposal
   * (also of who is too near, see deciders.ts); unavailable, also where it is not known whether it was decided.
   */
  async decide(
    caller: Caller,
    { name: person, near }: Decider,
    { id, approve, reason }: { id: string; approve: boolean; reason: string | null },
  ): Promise<Decided> {
    const { mysql, logger } = this.staff;
    const proposal = await requireProposal(this.staff.mysql, id);
    if (!proposal.proposed) throw fail("proposalUnknown", { proposalId: `s${id}` });
    // Names of persons are never used again, and a person has one, whatever the role and the session.
    if (near.has(`staff:${proposal.person}`)) throw fail("ownProposal", { proposalId: `s${id}`, person });
    // First: where it is not approved after all, the sum is too large for a day, never too small.
    if (approve && proposal.state === "open" && proposal.coins > 0)
      await call(caller, "platform.renewStaffMove", { moveId: proposal.moveId });
    const decided = await decideProposal(mysql, id, approve ? "approved" : "declined", { person, reason });
    const now = await writtenProposal(this.staff.mysql, id);
    if (decided && now.state === "open") throw fail("unavailable", { proposalId: `s${id}` });
    if (decided) logger.info({ proposalId: `s${id}`, person, state: now.state }, "a proposal is decided on");
    if (decided && now.state === "declined" && now.coins > 0) await this.stopCounting(caller, now);
    if (now.state !== "approved") return now;
    try {
      await this.carryOut(caller, now);
    } catch (err) {
      logger.warn({ err, proposalId: `s${id}` }, "a proposal is approved and will be carried out later");
    }
    return writtenProposal(this.staff.mysql, id);
  }

  /**
   * Has an approved move carried out, and stores what became of it; of one that was refused it resolves to the refusal. It
   * may be repeated, also at the same time: the first outcome stays, and the others resolve to it. Fails with the error
   * after which it is tried again.
   */
  async carryOut(caller: Caller, proposal: Proposal): Promise<Outcome> {
    const { mysql, logger } = this.staff;
    const { id, userId, instruction } = proposal;
    const about = { proposalId: `s${id}`, kind: instruction.kind, userId };
    const outcome = await outcomeOf(caller, this.staff, proposal);
    if (await endProposal(mysql, id, outcome)) {
      if (outcome.state === "done") return outcome;
      logger.info({ ...about, refusal: outcome.refusal }, "a move of staff is refused");
      if (proposal.coins > 0) await this.stopCounting(caller, proposal);
      return outcome;
    }
    const kept = await writtenProposal(this.staff.mysql, id);
    if (kept.state === "approved") throw fail("unavailable", { proposalId: `s${id}` });
    if (kept.state !== outcome.state)
      logger.error(
        { ...about, kept: kept.state, outcome: outcome.state },
        "a move of staff has two outcomes: look at it",
      );
    if (kept.state === "refused") return { state: "refused", refusal: kept.refusal ?? "" };
    if (kept.state !== "done") throw new Error(`move s${id} was carried out and is ${kept.state}`);
    if (outcome.state === "done") return outcome;
    return { state: "done", outcome: kept.outcome, result: resultOf(kept.outcome) };
  }

  /** Takes a move that ended without moving anything off the sums, and returns whether it did. Where not, the job does it. */
  async stopCounting(caller: Caller, { id, moveId }: Pick<Proposal, "id" | "moveId">): Promise<boolean> {
    const uncounted = await this.uncount(caller, moveId);
    if (uncounted) await noteUncounted(this.staff.mysql, id);
    return uncounted;
  }

  private async uncount(caller: Caller, moveId: string): Promise<boolean> {
    try {
      await call(caller, "platform.uncountStaffMove", { moveId });
      return true;
    } catch (err) {
      this.staff.logger.warn({ err, moveId }, "a move that moved nothing still counts for four eyes, a day at most");
      return false;
    }
  }

  /** The row of an id that was given before, or of what is open or under way about an order or a hold. */
  private async known(move: MoneyMove): Promise<Proposal | undefined> {
    const { mysql } = this.staff;
    const [onceKey, openKey] = [onceKeyOf(move), openKeyOf(move)];
    if (openKey !== null) {
      const open = await proposalOfOpenKey(mysql, openKey);
      const asked = open?.instruction;
      if (open && move.kind === "erase" && asked?.kind === "erase" && asked.giveUp !== move.giveUp)
        throw fail("idempotencyConflict", { id: open.subject });
      return open;
    }
    const known = onceKey === null ? undefined : await proposalOfOnceKey(mysql, onceKey);
    if (known && !isOf(known.instruction, move)) throw fail("idempotencyConflict", { id: known.subject });
    return known;
  }

  /**
   * Of an order that does not allow a refund or release any more, when it was looked at or when it was to be carried out:
   * what this person had carried out minutes ago, whose answer was lost, or the move that is under way.
   * @throws error where there is none
   */
  private async earlier(error: unknown, person: string, move: MoneyMove): Promise<Proposal> {
    if (!isFailure(error, "payOrderState") || (move.kind !== "refund" && move.kind !== "release")) throw error;
    const about = { kind: move.kind, subject: move.orderId, person };
    const earlier = (await latelyDone(this.staff.mysql, about)) ?? (await this.known(move));
    if (!earlier) throw error;
    return earlier;
  }

  private async answerOf(caller: Caller, proposal: Proposal): Promise<MoneyMoved> {
    const { id, state, refusal, outcome } = proposal;
    const about = { proposalId: `s${id}`, expiresTime: proposal.expiresTime?.toISOString() ?? null };
    if (state === "open") return { state: "proposed", ...about };
    if (state === "declined" || state === "expired") return { state, ...about };
    if (state === "done") return { state, result: resultOf(outcome) };
    if (state === "refused") throw failAs(refusal, about.proposalId);
    const ended = await this.carryOut(caller, proposal).catch((err: unknown) => {
      const { logger } = this.staff;
      if (isUnavailable(err))
        logger.warn({ err, ...about }, "a move of staff is written and will be carried out later");
      else logger.error({ err, ...about }, "a move of staff fails: it is tried again until the cause is repaired");
      return undefined;
    });
    if (ended === undefined) return { state: "approved", ...about };
    if (ended.state === "refused") throw failAs(ended.refusal, about.proposalId);
    return { state: "done", result: ended.result };
  }
}

/** What an attempt to carry out a move came to. Fails with the error after which it is tried again. */
async function outcomeOf(caller: Caller, staff: MysqlState, proposal: Proposal): Promise<Outcome> {
  const { id: proposalId, instruction } = proposal;
  try {
    const result =
      instruction.kind === "erase"
        ? await beginErasure(caller, staff, { ...instruction, proposalId })
        : await carryOut(caller, { ...proposal, instruction });
    const text = JSON.stringify(result);
    return { state: "done", outcome: Buffer.byteLength(text) > limits.proposals.outcomeBytes ? null : text, result };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { state: "refused", refusal };
  }
}

const resultOf = (outcome: string | null): Record<string, unknown> => (outcome === null ? {} : JSON.parse(outcome));

/** The failure that a refused move keeps. */
function failAs(refusal: string | null, proposalId: string): Error {
  if (!isFailureName(refusal)) throw new Error(`move ${proposalId} is refused without a reason`);
  return fail(refusal, { proposalId });
}
