import type { Context, Service, ServiceSchema } from "moleculer";
import { failureName, isUnavailable } from "../broker/failure.ts";
import type { MysqlState } from "./mysql.mixin.ts";

type Audited = Service & MysqlState;
type Handler = (this: Audited, ctx: Context<Record<string, unknown>>) => unknown;

/**
 * Writes a row to t_operator_audit for every call of an action with `operator: true`. The row is durable before the
 * action starts; where it cannot be written, the action does not run and fails with `unavailable`. The row's outcome is
 * written afterwards. Needs mysqlMixin (with `mixins/operator-audit/migrations`).
 */
export const operatorAuditMixin = {
  merged(schema: ServiceSchema) {
    for (const [name, action] of Object.entries(schema.actions ?? {})) {
      const definition = action as unknown as { operator?: boolean; handler: Handler };
      if (!definition.operator) continue;
      const carryOut = definition.handler;
      definition.handler = async function audited(this: Audited, ctx: Context<Record<string, unknown>>) {
        const { operator, ...params } = ctx.params;
        const row = await this.mysql.run(
          `INSERT INTO t_operator_audit (operator, action, params, outcome, request_id, create_time, update_time)
           VALUES (?, ?, ?, 'started', ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
          [String(operator), `${this.name}.${name}`, JSON.stringify(params), ctx.requestID],
        );
        const complete = (outcome: string) =>
          this.mysql.run("UPDATE t_operator_audit SET outcome = ?, update_time = UTC_TIMESTAMP(3) WHERE id = ?", [
            outcome,
            row.insertId,
          ]);
        try {
          const result = await carryOut.call(this, ctx);
          await complete("succeeded");
          return result;
        } catch (error) {
          await complete(failureName(error) ?? (isUnavailable(error) ? "unavailable" : "fault"));
          throw error;
        }
      };
    }
  },
};
