import type { Context, Service, ServiceSchema } from "moleculer";
import { failureName, isUnavailable } from "../broker/failure.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import { auditColumns } from "./operator-audit/audit-columns.ts";
import { erasableText } from "./seals/erasable-text.ts";
import type { SealedLedger } from "./seals/seal-form.ts";
import type { SealsState } from "./seals.mixin.ts";

type Audited = Service & MysqlState & SealsState;
/** The outcome of a result that says itself what failed. */
type OutcomeOf<Result> = (result: Result) => string | undefined;
type Handler = (this: Audited, ctx: Context<Record<string, unknown>>) => unknown;

/** A row of t_operator_audit. */
export interface AuditRow {
  /** Of an outcome: the id of the call's row. */
  readonly callId: number | null;
  readonly operator: string;
  readonly action: string;
  readonly params: string | null;
  readonly outcome: string;
  readonly requestId: string | null | undefined;
}

/**
 * Adds a row with its seal and returns its id. Rows are never changed, so that nobody who can write here can rewrite the
 * past, and rows without a seal are found.
 */
export function addAuditRow(
  { mysql, seals }: MysqlState & SealsState,
  ledger: SealedLedger,
  row: AuditRow,
): Promise<number> {
  const { callId, operator, action, params, outcome, requestId } = row;
  const { text, salt, digest } = erasableText(params);
  const values = [callId, operator, action, digest, outcome, requestId ?? null];
  return seals.transaction(mysql, async (tx, sealing) => {
    const { insertId } = await tx.run(
      `INSERT INTO t_operator_audit (${auditColumns.join(", ")}, params, params_salt, create_time)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [...values, text, salt, await sealing.time()],
    );
    sealing.cover(ledger, insertId, [values], 0n);
    return insertId;
  });
}

/** A call to audit. */
interface AuditedCall {
  readonly operator: string;
  readonly action: string;
  /** JSON. */
  readonly params: string;
  readonly requestId: string | null | undefined;
}

/**
 * Carries out a call between its two rows of t_operator_audit: see `operatorAuditMixin`, which does it for the actions of
 * a service. `ledger` is the audit of the service.
 */
export async function auditedWork<Result>(
  service: MysqlState & SealsState & Pick<Service, "logger">,
  ledger: SealedLedger,
  { params, ...about }: AuditedCall,
  work: () => Promise<Result> | Result,
  outcomeOf: OutcomeOf<Result> = () => undefined,
): Promise<Result> {
  const callId = await addAuditRow(service, ledger, { ...about, callId: null, params, outcome: "started" });
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    const outcome = failureName(error) ?? (isUnavailable(error) ? "unavailable" : "fault");
    await addAuditRow(service, ledger, { ...about, callId, params: null, outcome }).catch((err: unknown) =>
      service.logger.error({ err, ...about, callId, outcome }, "the outcome of an operator's call is not in the audit"),
    );
    throw error;
  }
  await addAuditRow(service, ledger, { ...about, callId, params: null, outcome: outcomeOf(result) ?? "succeeded" });
  return result;
}

/**
 * Writes two rows to t_operator_audit for every call of an action with `operator: true`; of the params all but a
 * `session`, which is a secret. The first is durable before the action starts; where it cannot be written, the action
 * does not run and fails with `unavailable`. The second has the outcome and is durable before the answer; where it
 * cannot be written, a call that succeeded fails with `unavailable`, one that failed keeps its failure. It is
 * `succeeded`, unless the action's `outcomeOf` says otherwise. The rows are sealed: `ledger` is this service's audit.
 * Needs mysqlMixin (with `mixins/operator-audit/migrations`) and sealsMixin.
 */
export const operatorAuditMixin = (ledger: SealedLedger) => ({
  merged(schema: ServiceSchema) {
    for (const [name, action] of Object.entries(schema.actions ?? {})) {
      const definition = action as unknown as {
        operator?: boolean;
        outcomeOf?: OutcomeOf<unknown>;
        handler: Handler;
      };
      if (!definition.operator) continue;
      const carryOut = definition.handler;
      definition.handler = async function audited(this: Audited, ctx: Context<Record<string, unknown>>) {
        const { operator, session: _secret, ...params } = ctx.params;
        const about = { operator: String(operator), action: `${this.name}.${name}`, requestId: ctx.requestID };
        const call = { ...about, params: JSON.stringify(params) };
        return auditedWork(this, ledger, call, () => carryOut.call(this, ctx), definition.outcomeOf);
      };
    }
  },
});
