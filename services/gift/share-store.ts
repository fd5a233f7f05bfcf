import type { NamedKeys } from "../../config/named-keys.ts";
import { type Queryable, type Transaction, toSafeInteger } from "../../mixins/mysql/database.ts";
import { type ShareVerdict, type SignedShare, verdictOfShare } from "../signed-shares.ts";

/**
 * The anchors' own shares. Rows are only added, and signed (services/signed-shares.ts); a row with a wrong signature is
 * none. In force at a time is the row with the latest `from_time` up to it; of several with the same one, the row written
 * last: a copy of a row has its time, which the table refuses. A row without a percent returns the anchor to the default.
 */

const columns = "anchor_id, percent, from_time, operator, create_time, key_name, signature";
const order = "from_time, create_time, id";

interface Row {
  anchor_id: string;
  percent: number | null;
  from_time: Date;
  operator: string;
  create_time: Date;
  key_name: string;
  signature: Buffer;
}

const shareOf = (row: Row): SignedShare => ({
  anchorId: String(row.anchor_id),
  percent: row.percent === null ? null : toSafeInteger(row.percent),
  from: row.from_time,
  operator: row.operator,
  written: row.create_time,
  keyName: row.key_name,
  signature: row.signature.toString("hex"),
});

/**
 * The shares in force now, of those anchors that have their own; "unsure" where the row in force has a key that this
 * process does not have. `onForged` is called for every row with a wrong signature.
 */
export async function readShares(
  db: Queryable,
  keys: NamedKeys,
  anchorIds: readonly string[],
  onForged: (row: SignedShare) => void,
): Promise<Map<string, number | "unsure">> {
  const rows = await db.query<Row>(
    `SELECT ${columns} FROM t_anchor_share WHERE anchor_id IN (?) AND from_time <= UTC_TIMESTAMP(3) ORDER BY ${order}`,
    [anchorIds],
  );
  const shares = new Map<string, number | "unsure">();
  for (const share of rows.map(shareOf)) {
    const verdict = verdictOfShare(keys, share);
    if (verdict === "wrong") onForged(share);
    else if (verdict === "unknownKey") shares.set(share.anchorId, "unsure");
    else if (share.percent === null) shares.delete(share.anchorId);
    else shares.set(share.anchorId, share.percent);
  }
  return shares;
}

/** A row as people see it. */
export interface ListedShare extends SignedShare {
  readonly id: string;
  readonly verdict: ShareVerdict;
  /** As of now. */
  readonly inForce: boolean;
}

/** The ids of the rows in force now, of these anchors. */
async function idsInForce(db: Queryable, keys: NamedKeys, anchorIds: readonly string[]): Promise<Set<string>> {
  if (anchorIds.length === 0) return new Set();
  const rows = await db.query<Row & { id: string }>(
    `SELECT id, ${columns} FROM t_anchor_share WHERE anchor_id IN (?) AND from_time <= UTC_TIMESTAMP(3) ORDER BY ${order}`,
    [anchorIds],
  );
  const genuine = rows.filter((row) => verdictOfShare(keys, shareOf(row)) !== "wrong");
  return new Set(new Map(genuine.map((row) => [String(row.anchor_id), String(row.id)])).values());
}

/**
 * Rows of all anchors, or of one, by anchor and in the order in which they come into force; after the row with the id
 * `cursor`.
 */
export async function listShares(
  db: Queryable,
  keys: NamedKeys,
  { anchorId, cursor, limit }: { anchorId?: string | undefined; cursor?: string | undefined; limit: number },
): Promise<ListedShare[]> {
  const where = ["TRUE"];
  const values: unknown[] = [];
  if (anchorId !== undefined) {
    where.push("anchor_id = ?");
    values.push(anchorId);
  }
  if (cursor !== undefined) {
    const [place] = await db.query<Row>(`SELECT ${columns} FROM t_anchor_share WHERE id = ?`, [cursor]);
    if (!place) return [];
    const { anchor_id, from_time, create_time } = place;
    // The table has no two rows with the same three. An index serves these ranges, and not the comparison of tuples.
    where.push("(anchor_id > ? OR (anchor_id = ? AND (from_time > ? OR (from_time = ? AND create_time > ?))))");
    values.push(anchor_id, anchor_id, from_time, from_time, create_time);
  }
  const rows = await db.query<Row & { id: string }>(
    `SELECT id, ${columns} FROM t_anchor_share WHERE ${where.join(" AND ")} ORDER BY anchor_id, ${order} LIMIT ?`,
    [...values, limit],
  );
  const inForce = await idsInForce(db, keys, [...new Set(rows.map((row) => String(row.anchor_id)))]);
  return rows.map((row) => {
    const share = shareOf(row);
    const id = String(row.id);
    return { ...share, id, verdict: verdictOfShare(keys, share), inForce: inForce.has(id) };
  });
}

/** The database's time. */
export async function timeOfShares(tx: Transaction): Promise<Date> {
  const [row] = await tx.query<{ now_time: Date }>("SELECT UTC_TIMESTAMP(3) AS now_time");
  return row?.now_time as Date;
}

/** Fails with a duplicate key where the anchor has a row from this time on that was written at the same time. */
export async function insertShare(tx: Transaction, share: SignedShare): Promise<void> {
  const { anchorId, percent, from, operator, written, keyName, signature } = share;
  await tx.run(`INSERT INTO t_anchor_share (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
    ...[anchorId, percent, from, operator, written, keyName, Buffer.from(signature, "hex")],
  ]);
}
