import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/**
 * Moves of money by persons of the staff against who approved them. The states of a move are in
 * services/staff/proposals/proposal-state.ts: 0 open, 1 approved, 2 done, 3 refused, 4 declined, 5 expired.
 */

interface MoveRow extends Record<"id" | "person", string> {
  state: number | null;
  decided_by: string | null;
}

const approvals = "/live/admin/proposals/approve";

/**
 * A move that needed another person was approved by one, whose call is in the audit of the staff and was not refused: it
 * succeeded, or the node or its answer was lost, after which the person may have approved. One that needed nobody was
 * decided on by nobody; and none is approved for longer than `underWayMs` and not carried out.
 */
export function staffMovesCheck(db: Queryable, underWayMs: number): Check {
  const staff = databaseName("staff");
  return windowCheck(db, {
    ...{ name: "moves of staff", table: `${staff}.t_staff_proposal`, column: "create_time", rounds: true },
    ...{ delayMs: underWayMs },
    async find(from, to) {
      const rows = await db.query<MoveRow>(
        `SELECT p.id, p.person, s.state, s.decided_by FROM ${staff}.t_staff_proposal p
         LEFT JOIN ${staff}.t_staff_proposal_state s ON s.proposal_id = p.id
         WHERE p.id > ? AND p.id <= ? AND (s.state IS NULL
           OR (s.state = 1 AND s.update_time < UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND)
           OR (p.proposed = 0 AND (s.state IN (0, 4, 5) OR s.decided_by IS NOT NULL))
           OR (p.proposed = 1 AND s.state IN (1, 2, 3) AND (s.decided_by IS NULL OR s.decided_by = p.person
             OR NOT EXISTS (SELECT 1 FROM ${staff}.t_staff_audit c
               LEFT JOIN ${staff}.t_staff_audit o ON o.call_id = c.id
               WHERE c.about = CONCAT('s', p.id) AND c.route = ? AND c.person = s.decided_by AND c.outcome = 'started'
                 AND (o.outcome IS NULL OR o.outcome IN ('succeeded', 'unavailable', 'fault'))))))
         LIMIT ?`,
        [from, to, underWayMs * 1_000, approvals, limits.books.findingsPerPage],
      );
      return rows.map(({ id, person, state, decided_by }): Difference => {
        const detail = `move s${id} by ${person}: state ${state ?? "missing"}, decided on by ${decided_by ?? "nobody"}`;
        return { kind: "moveNotApproved", subject: `move s${id}`, detail };
      });
    },
  });
}
