import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";

/**
 * The anchors' own shares. Rows are only added. In force at a time is the row with the latest `from_time` up to it; of
 * several with the same one, the row written last. A row without a percent returns the anchor to the default.
 */

export interface ShareRow {
  anchorId: string;
  /** Whole percent; `null`: the default (ANCHOR_SHARE_PERCENT). */
  percent: number | null;
  from: Date;
  /** Who wrote the row, and when. */
  operator: string;
  written: Date;
}

/** The shares in force now, of those anchors that have their own. */
export async function readShares(db: Queryable, anchorIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ anchor_id: string; percent: number | null }>(
    `SELECT anchor_id, percent FROM t_anchor_share WHERE anchor_id IN (?) AND from_time <= UTC_TIMESTAMP(3)
     ORDER BY from_time, id`,
    [anchorIds],
  );
  const shares = new Map<string, number>();
  for (const { anchor_id, percent } of rows) {
    if (percent === null) shares.delete(String(anchor_id));
    else shares.set(String(anchor_id), toSafeInteger(percent));
  }
  return shares;
}

/**
 * All rows, or those of an anchor, in the order in which they come into force, `max` at the most. `inForce` is as of
 * now.
 */
export async function listShares(
  db: Queryable,
  anchorId: string | undefined,
  max: number,
): Promise<(ShareRow & { inForce: boolean })[]> {
  const rows = await db.query<{
    anchor_id: string;
    percent: number | null;
    from_time: Date;
    operator: string;
    create_time: Date;
    in_force: number;
  }>(
    `SELECT s.anchor_id, s.percent, s.from_time, s.operator, s.create_time,
       s.from_time <= UTC_TIMESTAMP(3) AND NOT EXISTS (SELECT 1 FROM t_anchor_share later
         WHERE later.anchor_id = s.anchor_id AND later.from_time <= UTC_TIMESTAMP(3)
           AND (later.from_time > s.from_time OR (later.from_time = s.from_time AND later.id > s.id))) AS in_force
     FROM t_anchor_share s ${anchorId === undefined ? "" : "WHERE s.anchor_id = ?"}
     ORDER BY s.anchor_id, s.from_time, s.id LIMIT ?`,
    anchorId === undefined ? [max] : [anchorId, max],
  );
  return rows.map((row) => ({
    anchorId: String(row.anchor_id),
    percent: row.percent === null ? null : toSafeInteger(row.percent),
    from: row.from_time,
    operator: row.operator,
    written: row.create_time,
    inForce: Number(row.in_force) === 1,
  }));
}

/** Adds a row; durable when it resolves. Without `from` it is in force at once. */
export async function insertShare(
  db: Queryable,
  { anchorId, percent, from, operator }: Omit<ShareRow, "from" | "written"> & { from?: Date | undefined },
): Promise<void> {
  await db.run(
    `INSERT INTO t_anchor_share (anchor_id, percent, from_time, operator, create_time)
     VALUES (?, ?, COALESCE(?, UTC_TIMESTAMP(3)), ?, UTC_TIMESTAMP(3))`,
    [anchorId, percent, from ?? null, operator],
  );
}
