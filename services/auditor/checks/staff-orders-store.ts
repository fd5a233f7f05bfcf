import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import type { Difference } from "../differences.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/**
 * What staff moved against the rows of the services that carried it out, both ways, and the proposals of API keys against
 * who approved them. The kinds of a move are in services/staff/proposals/instruction.ts: 0 refund, 1 release, 2 adjust,
 * 3 payout, 4 hold, 5 releaseHold, 6 holdFree, 7 releaseFree, 8 erase. The states of an order of the platform are in
 * services/platform/money/order-state.ts: 1 pending, 2 done, 3 refused.
 */

const approvals = "/live/admin/proposals/approve";
/** What comes before the move's id in the business id of an adjustment by staff. */
const staffAdjustments = "platform:adjust:staff:";

interface OrderRow extends Record<"id" | "biz_id" | "user_id" | "amount", string> {
  proposed: number;
  state: number | null;
  decided_by: string | null;
}

/**
 * Every adjustment by staff has its move, of this user and these coins, that was approved; every proposal of an API key
 * that was carried out, or will be, was approved by a person whose call is in the audit of the staff and was not refused.
 */
export function staffOrdersCheck(db: Queryable): Check {
  const [platform, staff] = [databaseName("platform"), databaseName("staff")];
  return windowCheck(db, {
    ...{
      name: "adjustments that staff ordered or approved",
      table: `${platform}.t_money_order`,
      column: "create_time",
    },
    // Approvals that come later are compared by the full passes.
    rounds: true,
    async find(from, to) {
      const rows = await db.query<OrderRow>(
        `SELECT o.id, o.biz_id, o.user_id, o.amount, o.proposed, s.state, s.decided_by
         FROM ${platform}.t_money_order o LEFT JOIN ${platform}.t_money_state s ON s.order_id = o.id
         WHERE o.id > ? AND o.id <= ? AND (
           ((o.key_id = 'staff' OR o.biz_id LIKE ?) AND NOT EXISTS (SELECT 1 FROM ${staff}.t_staff_proposal p
             JOIN ${staff}.t_staff_proposal_state ps ON ps.proposal_id = p.id
             WHERE p.move_id = CONVERT(SUBSTRING(o.biz_id, ?) USING ascii) COLLATE ascii_bin AND p.kind = 2
               AND p.user_id = o.user_id AND p.coins = ABS(o.amount)
               AND LOCATE(CONCAT('"coins":', o.amount, ','), p.instruction) > 0 AND ps.state IN (1, 2, 3)))
           OR (o.proposed = 1 AND s.state IN (1, 2, 3) AND NOT EXISTS (SELECT 1 FROM ${staff}.t_staff_audit c
             LEFT JOIN ${staff}.t_staff_audit a ON a.call_id = c.id
             WHERE c.about = CONCAT('p', o.id) AND c.route = ? AND CONCAT('staff:', c.person) = s.decided_by
               AND c.outcome = 'started' AND (a.outcome IS NULL OR a.outcome IN ('succeeded', 'unavailable', 'fault')))))
         LIMIT ?`,
        [...[from, to, `${staffAdjustments}%`, staffAdjustments.length + 1, approvals], limits.books.findingsPerPage],
      );
      return rows.map(({ id, biz_id, user_id, amount, proposed, state, decided_by }): Difference => {
        const order = `user ${user_id}, amount ${amount}, state ${state ?? "missing"}`;
        if (Number(proposed) === 0)
          return { kind: "moveDiffers", subject: `order ${biz_id}`, detail: `${order}: staff has no such move` };
        const detail = `${order}: decided on by ${decided_by ?? "nobody"}`;
        return { kind: "moveNotApproved", subject: `proposal p${id}`, detail };
      });
    },
  });
}

type MoveRow = Record<"id" | "kind" | "user_id" | "subject" | "coins", string>;

/** Every move of staff that is done is in the books of the service that carried it out. `most`: as of `ordersCheck`. */
export function staffOutcomesCheck(db: Queryable, most: number = limits.books.findingsPerPage): Check {
  const staff = databaseName("staff");
  const posting = (prefix: string, kind: number, also = "AND b.anchor_id = p.user_id") =>
    `EXISTS (SELECT 1 FROM t_income_posting b WHERE b.biz_id = CONCAT('${prefix}', p.subject) AND b.kind = ${kind}
       AND b.status = 1 ${also})`;
  const ofOrder = (kind: number) =>
    `EXISTS (SELECT 1 FROM t_income_posting b WHERE b.order_id = p.subject AND b.kind = ${kind})`;
  return windowCheck(db, {
    ...{ name: "moves of staff in the books", table: `${staff}.t_staff_proposal`, column: "create_time", rounds: true },
    // A person decides on a proposal within this time.
    againMs: limits.platform.proposalMs,
    async find(from, to) {
      const rows = await db.query<MoveRow>(
        `SELECT p.id, p.kind, p.user_id, p.subject, p.coins FROM ${staff}.t_staff_proposal p
         JOIN ${staff}.t_staff_proposal_state s ON s.proposal_id = p.id AND s.state = 2
         WHERE p.id > ? AND p.id <= ? AND NOT COALESCE(CASE p.kind
           WHEN 2 THEN EXISTS (SELECT 1 FROM ${databaseName("platform")}.t_money_order o
             JOIN ${databaseName("platform")}.t_money_state os ON os.order_id = o.id AND os.state = 2
             WHERE o.biz_id = CONCAT('${staffAdjustments}', p.move_id) AND o.user_id = p.user_id AND ABS(o.amount) = p.coins)
           WHEN 3 THEN ${posting("payout:", 3)}
           WHEN 4 THEN ${ofOrder(1)}
           WHEN 5 THEN ${ofOrder(2)}
           WHEN 6 THEN ${posting("free-hold:", 1)}
           WHEN 7 THEN ${posting("free-release:", 2)}
           WHEN 8 THEN EXISTS (SELECT 1 FROM t_qiyu_currency_account a WHERE a.user_id = p.user_id AND a.status = 0)
           ELSE EXISTS (SELECT 1 FROM ${databaseName("payment")}.t_pay_carried_out c
             WHERE c.move_id = p.move_id AND c.order_id = p.subject) END, FALSE)
         LIMIT ?`,
        [from, to, most],
      );
      return rows.map(({ id, kind, user_id, subject, coins }): Difference => {
        const detail = `kind ${kind}, about ${subject}, user ${user_id}, ${coins} coins: done, and not in the books`;
        return { kind: "moveDiffers", subject: `move s${id}`, detail };
      });
    },
  });
}
