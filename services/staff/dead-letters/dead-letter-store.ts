import { fittingPage } from "../../../broker/parts.ts";
import { limits } from "../../../config/limits.ts";
import { type Database, isDuplicateKey, type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { shownBody } from "../../dead-letter-text.ts";
import type { ShownDeadLetter } from "../../provisioner/provisioner.contract.ts";
import type { HandledDeadLetter, LetterDecision } from "../dead-letters.contract.ts";
import { type Handling, type HandlingState, statesBefore } from "./handling-state.ts";

/** The SQL of the dead letters on which persons of the staff have decided. */

/** What is kept of the letter itself. */
export type HandledLetter = Omit<ShownDeadLetter, "body" | "bodyCut">;

/** A decision that is to begin. */
export interface NewHandling {
  readonly letter: HandledLetter;
  readonly decision: LetterDecision;
  readonly person: string;
  readonly reason: string;
  /** Every byte, of one that is given up. */
  readonly data: Buffer | null;
  readonly leaseMs: number;
}

/** A decision that is under way. */
export interface Begun {
  readonly id: string;
  /** How often a decision on the letter has begun. */
  readonly attempt: number;
  readonly decision: LetterDecision;
  /** An earlier attempt at the same decision has begun, and may have taken effect or still take effect. */
  readonly again: boolean;
}

interface Row {
  id: string;
  letter_id: string;
  letter_time: Date;
  channel: string;
  subject: string;
  dead_reason: string;
  order_id: string | null;
  forged: number;
  unknown_key: number;
  size: number;
  decision: LetterDecision;
  state: HandlingState;
  data: Buffer | null;
  person: string;
  reason: string;
  create_time: Date;
  done_time: Date | null;
}

const columns = `id, letter_id, letter_time, channel, subject, dead_reason, order_id, forged, unknown_key, size, decision, state,
  data, person, reason, create_time, done_time`;

const viewOf = (row: Row): HandledDeadLetter => ({
  ...{ handledId: String(row.id), id: toSafeInteger(row.letter_id), time: row.letter_time.toISOString() },
  ...{ channel: row.channel, subject: row.subject, deadReason: row.dead_reason, orderId: row.order_id },
  ...{
    forged: Number(row.forged) === 1,
    unknownKey: Number(row.unknown_key) === 1,
    size: Number(row.size),
    decision: row.decision,
  },
  state: row.state === "done" ? "done" : "begun",
  ...{ by: row.person, reason: row.reason, beginTime: row.create_time.toISOString() },
  doneTime: row.done_time?.toISOString() ?? null,
  body: row.decision === "giveUp" && row.data !== null ? shownBody(row.data).body : null,
});

const leaseEnd = "TIMESTAMPADD(MICROSECOND, ? * 1000, UTC_TIMESTAMP(3))";

/** Foreign publishers may have written any text of any length. */
const fitting = (text: string, chars: number) => text.toWellFormed().slice(0, chars).toWellFormed();

/** Adds the first decision on a dead letter; `undefined` where somebody has decided before. */
export async function addHandling(
  db: Pick<Database, "transaction">,
  handling: NewHandling,
): Promise<Begun | undefined> {
  const { letter, decision, person, reason, data, leaseMs } = handling;
  const about = [
    ...[letter.id, new Date(letter.time), fitting(letter.channel, 100), fitting(letter.subject, 300)],
    ...[fitting(letter.reason, 500), letter.orderId, letter.forged ? 1 : 0],
    ...[letter.unknownKey ? 1 : 0, letter.size],
  ];
  try {
    return await db.transaction(async (tx) => {
      const { insertId } = await tx.run(
        `INSERT INTO t_staff_dead_letter (letter_id, letter_time, channel, subject, dead_reason, order_id, forged,
           unknown_key, size, decision, state, data, person, reason, create_time, lease_until)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'begun', ?, ?, ?, UTC_TIMESTAMP(3), ${leaseEnd})`,
        [...about, decision, data, person, reason, leaseMs],
      );
      const { orderIds } = letter;
      if (orderIds.length > 0)
        await tx.run(
          `INSERT INTO t_staff_dead_letter_order (order_id, handled_id) VALUES ${orderIds.map(() => "(?, ?)").join(", ")}`,
          orderIds.flatMap((orderId) => [orderId, insertId]),
        );
      return { id: String(insertId), attempt: 1, decision, again: false };
    });
  } catch (error) {
    if (isDuplicateKey(error)) return undefined;
    throw error;
  }
}

/**
 * Begins a decision on a dead letter on which somebody has decided before, if `may` says `begin` of what is known; the
 * row is locked meanwhile. Bytes that are there stay. Returns what `may` said where it is not `begin`.
 */
export function beginAgain<Verdict extends string>(
  db: Pick<Database, "transaction">,
  { letter, decision, person, reason, data, leaseMs }: NewHandling,
  may: (known: Handling) => Verdict | "begin",
): Promise<Begun | Verdict> {
  return db.transaction(async (tx) => {
    const [row] = await tx.query<Pick<Row, "id" | "state" | "decision"> & { attempt: number; leased: number }>(
      `SELECT id, state, decision, attempt, lease_until > UTC_TIMESTAMP(3) AS leased FROM t_staff_dead_letter
       WHERE letter_id = ? AND letter_time = ? FOR UPDATE`,
      [letter.id, new Date(letter.time)],
    );
    if (!row) throw new Error(`the decision on dead letter ${letter.id} is gone: its rows are never removed`);
    const verdict = may({ state: row.state, decision: row.decision, leased: Number(row.leased) === 1 });
    if (verdict !== "begin") return verdict;
    const [id, attempt] = [String(row.id), Number(row.attempt) + 1];
    await tx.run(
      `UPDATE t_staff_dead_letter SET state = 'begun', decision = ?, data = COALESCE(?, data), attempt = ?, person = ?,
         reason = ?, create_time = UTC_TIMESTAMP(3), lease_until = ${leaseEnd} WHERE id = ?`,
      [decision, data, attempt, person, reason, leaseMs, id],
    );
    return { id, attempt, decision, again: row.state === "begun" };
  });
}

/** Notes that a decision is carried out, by whichever attempt at it; a repeat changes nothing. */
export async function endDone(db: Queryable, { id, decision }: Pick<Begun, "id" | "decision">): Promise<void> {
  await db.run(
    `UPDATE t_staff_dead_letter SET state = 'done', done_time = UTC_TIMESTAMP(3)
     WHERE id = ? AND decision = ? AND state IN (?)`,
    [id, decision, statesBefore("done")],
  );
}

/** Notes that a decision was certainly not carried out, if no later attempt has begun. */
export async function endFreed(db: Queryable, { id, attempt }: Begun): Promise<void> {
  await db.run("UPDATE t_staff_dead_letter SET state = 'freed' WHERE id = ? AND attempt = ? AND state IN (?)", [
    ...[id, attempt, statesBefore("freed")],
  ]);
}

/**
 * The one who began is no longer at it, and it is not known whether it was carried out: the same decision may go on at
 * once. If a later attempt has begun, its time stays.
 */
export async function endLease(db: Queryable, { id, attempt }: Begun): Promise<void> {
  await db.run(
    `UPDATE t_staff_dead_letter SET lease_until = UTC_TIMESTAMP(3)
     WHERE id = ? AND attempt = ? AND lease_until > UTC_TIMESTAMP(3)`,
    [id, attempt],
  );
}

/** A decision that was begun and not ended, and whose time is over; of a letter that may be gone. */
export async function findUnended(
  db: Queryable,
  letterId: number,
  decision: LetterDecision,
): Promise<Pick<Begun, "id" | "decision"> | undefined> {
  const [row] = await db.query<{ id: string }>(
    `SELECT id FROM t_staff_dead_letter WHERE letter_id = ? AND state = 'begun' AND decision = ?
       AND lease_until <= UTC_TIMESTAMP(3) ORDER BY id DESC LIMIT 1`,
    [letterId, decision],
  );
  return row && { id: String(row.id), decision };
}

/** A decision by its id, also one that was freed. */
export async function findHandled(db: Queryable, id: string): Promise<HandledDeadLetter | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM t_staff_dead_letter WHERE id = ?`, [id]);
  return row && viewOf(row);
}

/** Decisions, the latest first, below the id `cursor`; without those that were certainly not carried out. */
export async function handledPage(
  db: Queryable,
  { orderId, cursor, limit }: { orderId?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<{ list: HandledDeadLetter[]; nextCursor: string | null }> {
  const where = ["state <> 'freed'"];
  const values: unknown[] = [];
  if (orderId !== undefined) {
    where.push("id IN (SELECT handled_id FROM t_staff_dead_letter_order WHERE order_id = ?)");
    values.push(orderId);
  }
  if (cursor !== undefined) {
    where.push("id < ?");
    values.push(cursor);
  }
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM t_staff_dead_letter WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ?`,
    [...values, limit + 1],
  );
  const list = fittingPage(rows.slice(0, limit).map(viewOf), limits.bus.listBytes);
  return { list, nextCursor: rows.length > list.length ? (list.at(-1)?.handledId ?? null) : null };
}
