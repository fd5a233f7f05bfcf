import { limits } from "../../../config/limits.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { sealedLedgers } from "../../book-seals.ts";
import { type Instruction, instruction, type ProposalKind, proposalKinds } from "./instruction.ts";
import { type ProposalState, proposalStates, stateOf, statesBefore, unmovedStates } from "./proposal-state.ts";

/** SQL of the moves of staff. */

/** A move to write. */
export interface NewProposal {
  readonly instruction: Instruction;
  readonly userId: string;
  readonly subject: string;
  /** Magnitude of all that moves. */
  readonly coins: number;
  readonly person: string;
  readonly reason: string;
  /** Whether another person must approve it. */
  readonly proposed: boolean;
  readonly moveId: string;
  readonly onceKey: string | null;
  readonly openKey: string | null;
}

export interface Proposal extends Omit<NewProposal, "openKey" | "onceKey"> {
  readonly id: string;
  readonly state: ProposalState;
  readonly refusal: string | null;
  readonly outcome: string | null;
  readonly createTime: Date;
  readonly expiresTime: Date | null;
  readonly decidedBy: string | null;
  readonly decidedTime: Date | null;
  readonly decisionReason: string | null;
}

interface Row {
  readonly id: string;
  readonly user_id: string;
  readonly subject: string;
  readonly coins: string;
  readonly instruction: string;
  readonly person: string;
  readonly reason: string;
  readonly proposed: number;
  readonly move_id: string;
  readonly create_time: Date;
  readonly state: number;
  readonly refusal: string | null;
  readonly outcome: string | null;
  readonly expires_time: Date | null;
  readonly decided_by: string | null;
  readonly decided_time: Date | null;
  readonly decision_reason: string | null;
}

const columns = `p.id, p.user_id, p.subject, p.coins, p.instruction, p.person, p.reason, p.proposed, p.move_id, p.create_time,
  s.state, s.refusal, s.outcome, s.expires_time, s.decided_by, s.decided_time, s.decision_reason`;
const tables = "t_staff_proposal p JOIN t_staff_proposal_state s ON s.proposal_id = p.id";

const toProposal = (row: Row): Proposal => ({
  ...{ id: String(row.id), userId: String(row.user_id), subject: row.subject, coins: toSafeInteger(row.coins) },
  instruction: instruction.parse(JSON.parse(row.instruction)),
  ...{ person: row.person, reason: row.reason, proposed: Number(row.proposed) === 1, moveId: row.move_id },
  ...{ state: stateOf(Number(row.state)), refusal: row.refusal, outcome: row.outcome },
  ...{ createTime: row.create_time, expiresTime: row.expires_time },
  ...{ decidedBy: row.decided_by, decidedTime: row.decided_time, decisionReason: row.decision_reason },
});

async function oneProposal(db: Queryable, where: string, value: string): Promise<Proposal | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM ${tables} WHERE ${where} = ?`, [value]);
  return row && toProposal(row);
}

/** A move, above the bound or below it, by its id. */
export const proposalById = (db: Queryable, id: string) => oneProposal(db, "p.id", id);
/** The move that has this key for ever: the id that a person gave, after its kind. */
export const proposalOfOnceKey = (db: Queryable, key: string) => oneProposal(db, "p.once_key", key);
/** The move that has this key while it has not ended: at most one at a time. */
export const proposalOfOpenKey = (db: Queryable, key: string) => oneProposal(db, "s.open_key", key);

/** The newest move of this kind about this subject that a person had carried out lately (`limits.proposals.repeatMs`). */
export async function latelyDone(
  db: Queryable,
  { kind, subject, person }: { kind: ProposalKind; subject: string; person: string },
): Promise<Proposal | undefined> {
  const [row] = await db.query<Row>(
    `SELECT ${columns} FROM ${tables} WHERE p.subject = ? AND p.kind = ? AND p.person = ? AND s.state = ?
       AND s.update_time > UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND ORDER BY p.id DESC LIMIT 1`,
    [subject, proposalKinds.indexOf(kind), person, proposalStates.done, limits.proposals.repeatMs * 1_000],
  );
  return row && toProposal(row);
}

/** Writes a move, and returns its id. Fails with a duplicate key where there is one of its keys. */
export async function insertProposal(tx: Transaction, proposal: NewProposal, sealing: Sealing): Promise<string> {
  const { instruction: content, userId, subject, coins, person, reason, proposed, moveId, onceKey, openKey } = proposal;
  const time = await sealing.time();
  const sealed = [
    ...[proposalKinds.indexOf(content.kind), userId, subject, coins, JSON.stringify(content)],
    ...[person, proposed ? 1 : 0, moveId, onceKey],
  ];
  const { insertId } = await tx.run(
    `INSERT INTO t_staff_proposal (kind, user_id, subject, coins, instruction, person, proposed, move_id, once_key, reason,
       create_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [...sealed, reason, time],
  );
  sealing.cover(sealedLedgers.staffProposals, insertId, [sealed], 0n);
  await tx.run(
    `INSERT INTO t_staff_proposal_state (proposal_id, state, open_key, expires_time, next_try_time, counted, update_time)
     VALUES (?, ?, ?, IF(?, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, NULL),
       IF(?, NULL, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND), ?, UTC_TIMESTAMP(3))`,
    [
      ...[insertId, proposed ? proposalStates.open : proposalStates.approved, openKey],
      ...[proposed, limits.platform.proposalMs * 1_000, proposed, limits.proposals.firstTryAgainMs * 1_000],
      // What moves no coins counts for nothing.
      coins > 0 ? 1 : 0,
    ],
  );
  return String(insertId);
}

/** Decides on an open proposal that has not expired; returns whether it did. */
export async function decideProposal(
  db: Queryable,
  id: string,
  to: "approved" | "declined",
  { person, reason }: { person: string; reason: string | null },
): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_staff_proposal_state SET state = ?, decided_by = ?, decision_reason = ?, decided_time = UTC_TIMESTAMP(3),
       open_key = IF(?, open_key, NULL), next_try_time = IF(?, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, NULL),
       update_time = UTC_TIMESTAMP(3)
     WHERE proposal_id = ? AND state IN (?) AND expires_time > UTC_TIMESTAMP(3)`,
    [
      ...[proposalStates[to], person, reason, to === "approved", to === "approved"],
      ...[limits.proposals.firstTryAgainMs * 1_000, id, statesBefore(to)],
    ],
  );
  return affectedRows === 1;
}

/** What became of an approved move. */
export type Ended =
  | { readonly state: "done"; readonly outcome: string | null }
  | { readonly state: "refused"; readonly refusal: string };

/** Stores what became of an approved move, and returns whether it did; one that has ended stays as it is. */
export async function endProposal(db: Queryable, id: string, ended: Ended): Promise<boolean> {
  const { affectedRows } = await db.run(
    `UPDATE t_staff_proposal_state SET state = ?, outcome = ?, refusal = ?, open_key = NULL, next_try_time = NULL,
       update_time = UTC_TIMESTAMP(3) WHERE proposal_id = ? AND state IN (?)`,
    [
      proposalStates[ended.state],
      ended.state === "done" ? ended.outcome : null,
      ended.state === "refused" ? ended.refusal : null,
      ...[id, statesBefore(ended.state)],
    ],
  );
  return affectedRows === 1;
}

/** Ends proposals on which nobody decided in time; returns how many, at most `limits.proposals.perRound`. */
export async function expireProposals(db: Queryable): Promise<number> {
  const { affectedRows } = await db.run(
    `UPDATE t_staff_proposal_state SET state = ?, open_key = NULL, update_time = UTC_TIMESTAMP(3)
     WHERE state IN (?) AND expires_time <= UTC_TIMESTAMP(3) ORDER BY expires_time LIMIT ?`,
    [proposalStates.expired, statesBefore("expired"), limits.proposals.perRound],
  );
  return affectedRows;
}

/** The approved moves that are due, longest due first. */
export async function dueProposals(db: Queryable): Promise<Proposal[]> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM ${tables} WHERE s.state = ? AND s.next_try_time <= UTC_TIMESTAMP(3)
     ORDER BY s.next_try_time LIMIT ?`,
    [proposalStates.approved, limits.proposals.perRound],
  );
  return rows.map(toProposal);
}

/** Notes that they are being tried: the next try is later each time, up to a bound. */
export async function postponeProposals(db: Queryable, ids: readonly string[]): Promise<void> {
  const { tryAgainMs, tryAgainMsMax } = limits.proposals;
  await db.run(
    `UPDATE t_staff_proposal_state SET tries = tries + 1, next_try_time =
       UTC_TIMESTAMP(3) + INTERVAL LEAST(? * POW(2, LEAST(tries, 20)), ?) MICROSECOND
     WHERE proposal_id IN (?) AND state = ?`,
    [tryAgainMs * 1_000, tryAgainMsMax * 1_000, ids, proposalStates.approved],
  );
}

/** Moves that ended without moving anything and still count for four eyes. */
export function stillCounted(db: Queryable): Promise<{ id: string; move_id: string }[]> {
  return db.query(
    `SELECT p.id, p.move_id FROM t_staff_proposal_state s JOIN t_staff_proposal p ON p.id = s.proposal_id
     WHERE s.counted = 1 AND s.state IN (?) LIMIT ?`,
    [unmovedStates, limits.proposals.perRound],
  );
}

/** Notes that a move is off the sums, if it ended without moving anything. */
export async function noteUncounted(db: Queryable, id: string): Promise<void> {
  await db.run("UPDATE t_staff_proposal_state SET counted = 0 WHERE proposal_id = ? AND state IN (?)", [
    ...[id, unmovedStates],
  ]);
}

interface Filter {
  readonly open: boolean;
  readonly subject?: string;
  /** Ids below it; `undefined` begins at the newest. */
  readonly before?: string;
  readonly limit: number;
}

/** Proposals, or all moves about a subject, newest first. */
export async function readProposals(db: Queryable, { open, subject, before, limit }: Filter): Promise<Proposal[]> {
  const conditions = [
    subject === undefined ? "p.proposed = 1" : "p.subject = ?",
    ...(open ? ["s.state = ? AND s.expires_time > UTC_TIMESTAMP(3)"] : []),
    ...(before === undefined ? [] : ["p.id < ?"]),
  ];
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM ${tables} WHERE ${conditions.join(" AND ")} ORDER BY p.id DESC LIMIT ?`,
    [
      ...(subject === undefined ? [] : [subject]),
      ...(open ? [proposalStates.open] : []),
      ...(before === undefined ? [] : [before]),
      limit,
    ],
  );
  return rows.map(toProposal);
}

/** Moves whose subject is an order of the user. Of others it is a text that a person chose, or an order of somebody else. */
const ofOrders: ReadonlySet<number> = new Set([proposalKinds.indexOf("refund"), proposalKinds.indexOf("release")]);

/** Removes what persons wrote about moves of a user; returns what those moves are known by: their ids, and orders. */
export async function eraseReasons(db: Queryable, userId: string): Promise<string[]> {
  const moves = await db.query<Pick<Row, "id" | "subject"> & { kind: number }>(
    "SELECT id, kind, subject FROM t_staff_proposal WHERE user_id = ?",
    [userId],
  );
  const ids = moves.map(({ id }) => String(id));
  if (ids.length === 0) return [];
  await db.run("UPDATE t_staff_proposal SET reason = '' WHERE id IN (?)", [ids]);
  await db.run("UPDATE t_staff_proposal_state SET decision_reason = NULL WHERE proposal_id IN (?)", [ids]);
  return moves.flatMap(({ id, kind, subject }) => (ofOrders.has(kind) ? [`s${id}`, subject] : [`s${id}`]));
}
