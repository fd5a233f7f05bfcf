import { databaseName } from "../../config/config.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { addAuditRow } from "../../mixins/operator-audit.mixin.ts";
import { SealChains } from "../../mixins/seals/seal-chains.ts";
import { bookKeys } from "../../services/book-keys.ts";
import { type SealingService, sealedLedgers } from "../../services/book-seals.ts";

const open = new Map<SealingService, { mysql: Database; seals: SealChains }>();

function auditOf(service: SealingService) {
  const known = open.get(service);
  if (known) return known;
  const mysql = new Database(databaseName(service), { connections: 2 });
  const made = { mysql, seals: new SealChains({ service, keys: bookKeys(service) }) };
  open.set(service, made);
  return made;
}

/**
 * Two sealed audit rows of an operator's call, as the service itself writes them; with a time as if it had written them
 * then, `2026-11-26 12:00:00.000`.
 */
export async function audited(
  service: SealingService,
  action: string,
  params: object,
  { outcome = "succeeded", time }: { outcome?: string; time?: string } = {},
) {
  const { mysql, seals } = auditOf(service);
  const transaction: SealChains["transaction"] = (db, work) =>
    seals.transaction(db, (tx, sealing) => {
      if (time) sealing.setTime(time);
      return work(tx, sealing);
    });
  const audit = { mysql, seals: { transaction } } as unknown as { mysql: Database; seals: SealChains };
  const ledger = sealedLedgers[`${service}Audit`];
  const about = { operator: "alice", action: `${service}.${action}`, requestId: null };
  const started = { ...about, callId: null, params: JSON.stringify(params), outcome: "started" };
  const callId = await addAuditRow(audit, ledger, started);
  await addAuditRow(audit, ledger, { ...about, callId, params: null, outcome });
  return callId;
}

export async function closeAudits(): Promise<void> {
  for (const { mysql } of open.values()) await mysql.close();
  open.clear();
}
