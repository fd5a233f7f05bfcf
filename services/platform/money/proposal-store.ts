import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import type { Proposal } from "../money.contract.ts";
import { externalIdIn } from "./order.ts";
import { orderStates, stateOf } from "./order-state.ts";

/** SQL of proposals: adjustments by API keys that a person of staff must approve. */

interface ProposalRow {
  readonly id: string;
  readonly biz_id: string;
  readonly user_id: string;
  readonly amount: string;
  readonly key_id: string;
  readonly key_created_by: string | null;
  readonly reason: string | null;
  readonly state: number;
  readonly refusal: string | null;
  readonly create_time: Date;
  readonly expires_time: Date;
  readonly decided_by: string | null;
  readonly decided_time: Date | null;
  readonly decision_reason: string | null;
}

const toProposal = (row: ProposalRow): Proposal => ({
  ...{ proposalId: String(row.id), userId: String(row.user_id), coins: toSafeInteger(row.amount) },
  ...{ writeId: externalIdIn("adjust", row.biz_id), reason: row.reason ?? "", keyId: row.key_id },
  keyCreatedBy: row.key_created_by,
  ...{ state: stateOf(Number(row.state)), refusal: row.refusal },
  ...{ createTime: row.create_time.toISOString(), expiresTime: row.expires_time.toISOString() },
  ...{ decidedBy: row.decided_by, decidedTime: row.decided_time?.toISOString() ?? null },
  decisionReason: row.decision_reason,
});

/** Proposals with ids below the cursor, newest first. */
export async function readProposals(
  db: Queryable,
  { open, cursor, limit }: { open: boolean; cursor?: string; limit: number },
): Promise<Proposal[]> {
  const rows = await db.query<ProposalRow>(
    `SELECT o.id, o.biz_id, o.user_id, o.amount, o.key_id, o.reason, o.create_time, s.state, s.refusal, s.expires_time,
       s.decided_by, s.decided_time, s.decision_reason, k.created_by AS key_created_by
     FROM t_money_order o JOIN t_money_state s ON s.order_id = o.id LEFT JOIN t_api_key k ON k.key_id = o.key_id
     WHERE o.proposed = 1 ${open ? "AND s.state = ? AND s.expires_time > UTC_TIMESTAMP(3)" : ""}
       ${cursor ? "AND o.id < ?" : ""} ORDER BY o.id DESC LIMIT ?`,
    [...(open ? [orderStates.proposed] : []), ...(cursor ? [cursor] : []), limit],
  );
  return rows.map(toProposal);
}
