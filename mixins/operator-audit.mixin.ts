import type { Context, Service, ServiceSchema } from "moleculer";
import { failureName, isUnavailable } from "../broker/failure.ts";
import type { MysqlState } from "./mysql.mixin.ts";

type Audited = Service & MysqlState;
type Handler = (this: Audited, ctx: Context<Record<string, unknown>>) => unknown;

interface AuditRow {
  /** Of an outcome: the id of the call's row. */
  readonly callId: number | null;
  readonly operator: string;
  readonly action: string;
  readonly params: string | null;
  readonly outcome: string;
  readonly requestId: string | null | undefined;
}

/** Adds a row and returns its id. Rows are never changed, so that nobody who can write here can rewrite the past. */
async function addRow({ mysql }: MysqlState, row: AuditRow): Promise<number> {
  const { callId, operator, action, params, outcome, requestId } = row;
  const { insertId } = await mysql.run(
    `INSERT INTO t_operator_audit (call_id, operator, action, params, outcome, request_id, create_time)
     VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [callId, operator, action, params, outcome, requestId ?? null],
  );
  return insertId;
}

/**
 * Writes two rows to t_operator_audit for every call of an action with `operator: true`. The first is durable before
 * the action starts; where it cannot be written, the action does not run and fails with `unavailable`. The second has
 * the outcome and is durable before the answer; where it cannot be written, a call that succeeded fails with
 * `unavailable`, one that failed keeps its failure. Needs mysqlMixin (with `mixins/operator-audit/migrations`).
 */
export const operatorAuditMixin = {
  merged(schema: ServiceSchema) {
    for (const [name, action] of Object.entries(schema.actions ?? {})) {
      const definition = action as unknown as { operator?: boolean; handler: Handler };
      if (!definition.operator) continue;
      const carryOut = definition.handler;
      definition.handler = async function audited(this: Audited, ctx: Context<Record<string, unknown>>) {
        const { operator, ...params } = ctx.params;
        const about = { operator: String(operator), action: `${this.name}.${name}`, requestId: ctx.requestID };
        const started = { ...about, callId: null, params: JSON.stringify(params), outcome: "started" };
        const callId = await addRow(this, started);
        let result: unknown;
        try {
          result = await carryOut.call(this, ctx);
        } catch (error) {
          const outcome = failureName(error) ?? (isUnavailable(error) ? "unavailable" : "fault");
          await addRow(this, { ...about, callId, params: null, outcome }).catch((err: unknown) =>
            this.logger.error(
              { err, ...about, callId, outcome },
              "the outcome of an operator's call is not in the audit",
            ),
          );
          throw error;
        }
        await addRow(this, { ...about, callId, params: null, outcome: "succeeded" });
        return result;
      };
    }
  },
};
