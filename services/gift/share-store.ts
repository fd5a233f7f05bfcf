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

/**
 * All rows, or those of an anchor, in the order in which they come into force, `max` at the most. `inForce` is as of now
 * and of the rows that are returned.
 */
export async function listShares(
  db: Queryable,
  keys: NamedKeys,
  anchorId: string | undefined,
  max: number,
): Promise<(SignedShare & { verdict: ShareVerdict; inForce: boolean })[]> {
  const rows = await db.query<Row & { has_come: number }>(
    `SELECT ${columns}, from_time <= UTC_TIMESTAMP(3) AS has_come FROM t_anchor_share
     ${anchorId === undefined ? "" : "WHERE anchor_id = ?"} ORDER BY anchor_id, ${order} LIMIT ?`,
    anchorId === undefined ? [max] : [anchorId, max],
  );
  const list = rows.map((row) => {
    const share = shareOf(row);
    return { ...share, verdict: verdictOfShare(keys, share), hasCome: Number(row.has_come) === 1 };
  });
  const latest = new Map(
    list.filter(({ hasCome, verdict }) => hasCome && verdict !== "wrong").map((one) => [one.anchorId, one]),
  );
  return list.map(({ hasCome: _hasCome, ...one }, at) => ({ ...one, inForce: latest.get(one.anchorId) === list[at] }));
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
