import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { Finding } from "./auditor.contract.ts";
import { neverAccepted } from "./differences.ts";
import { acceptStored, findingsAfter } from "./findings-store.ts";

/** What operators do with the differences of the books. */

type Auditor = Service & MysqlState;

/** A page of the differences that are there now, oldest first. */
export async function findingsPage(
  { mysql }: Auditor,
  query: Parameters<typeof findingsAfter>[1],
): Promise<{ list: Finding[]; nextCursor: string | null }> {
  const all = await findingsAfter(mysql, query);
  const list = fittingPage(all, limits.bus.listBytes);
  const more = list.length < all.length || all.length === query.limit;
  const last = list.at(-1);
  return { list, nextCursor: more && last ? String(last.id) : null };
}

interface Acceptance {
  id: number;
  /** As the operator has read it. */
  detail: string;
  reason: string;
  operator: string;
}

/** Accepts a difference as it was read. Fails: findingUnknown, findingChanged, findingRefused. */
export async function acceptFinding({ mysql, logger }: Auditor, acceptance: Acceptance): Promise<Finding> {
  const { id } = acceptance;
  const { finding, isNew } = await acceptStored(mysql, acceptance);
  if (!finding) throw fail("findingUnknown", { id });
  const { kind, subject, detail, accepted } = finding;
  if (neverAccepted.has(kind)) throw fail("findingRefused", { id, kind });
  if (!accepted || (!isNew && detail !== acceptance.detail)) throw fail("findingChanged", { id, detail });
  logger.warn({ ...acceptance, kind, subject, detail }, "an operator accepted a difference of the books");
  return finding;
}
