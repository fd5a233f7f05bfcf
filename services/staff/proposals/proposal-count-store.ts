import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { proposalStates } from "./proposal-state.ts";

/** SQL that counts the moves of staff. */

/** Open and approved moves, counted up to `limits.metrics.countedRows`, and how long the oldest has been approved. */
export async function countProposals(db: Queryable): Promise<{ open: number; approved: number; oldestMs: number }> {
  const most = limits.metrics.countedRows;
  const count = (name: string) =>
    `(SELECT COUNT(*) FROM (SELECT 1 FROM t_staff_proposal_state WHERE state = ? LIMIT ?) counted) AS ${name}`;
  const [row] = await db.query<Record<"open_ones" | "approved_ones", string> & { oldest: string | null }>(
    `SELECT ${count("open_ones")}, ${count("approved_ones")},
       (SELECT TIMESTAMPDIFF(MICROSECOND, MIN(COALESCE(a.decided_time, p.create_time)), UTC_TIMESTAMP(3))
        FROM (SELECT proposal_id, decided_time FROM t_staff_proposal_state WHERE state = ? LIMIT ?) a
        JOIN t_staff_proposal p ON p.id = a.proposal_id) AS oldest`,
    [proposalStates.open, most, proposalStates.approved, most, proposalStates.approved, most],
  );
  const oldestMs = Number(row?.oldest ?? 0) / 1_000;
  return { open: Number(row?.open_ones ?? 0), approved: Number(row?.approved_ones ?? 0), oldestMs };
}
