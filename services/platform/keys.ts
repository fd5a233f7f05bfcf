import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { idOfApiKey, isApiKey, makeApiKey } from "../api-keys.ts";
import type { ApiScope } from "../api-scopes.ts";
import {
  countValidKeys,
  findKey,
  findValidKey,
  insertKey,
  keysAfter,
  raiseRevision,
  revisionOf,
  revokeKeyRow,
  validKeysAfter,
} from "./key-store.ts";
import type { ApiKeyView, KnownApiKey } from "./platform.contract.ts";

interface Wanted {
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  readonly perMinute?: number | undefined;
  readonly operator: string;
}

/** See `platform.createKey`. */
export async function createKey(
  mysql: Database,
  { name, scopes, perMinute, operator }: Wanted,
): Promise<{ keyId: string; key: string; revision: number }> {
  const { keyId, key, digest } = makeApiKey();
  const revision = await mysql.transaction(async (tx) => {
    const raised = await raiseRevision(tx);
    if ((await countValidKeys(tx)) >= limits.platform.keysMax)
      throw fail("business", { why: `there are ${limits.platform.keysMax} API keys: revoke some` });
    await insertKey(tx, {
      ...{ keyId, digest, name, operator, scopes: [...new Set(scopes)], perMinute: perMinute ?? null },
    });
    return raised;
  });
  return { keyId, key, revision };
}

/** See `platform.revokeKey`. */
export function revokeKey(
  mysql: Database,
  { keyId, operator }: { keyId: string; operator: string },
): Promise<{ revoked: ApiKeyView; revision: number }> {
  return mysql.transaction(async (tx) => {
    const revision = await raiseRevision(tx);
    await revokeKeyRow(tx, keyId, operator);
    const revoked = await findKey(tx, keyId);
    if (!revoked) throw fail("keyUnknown", { keyId });
    return { revoked, revision };
  });
}

const nextOf = (list: readonly { keyId: string }[]): string | null =>
  list.length === limits.platform.keysPerPage ? (list.at(-1)?.keyId ?? null) : null;

/** See `platform.listKeys`. */
export async function listKeys(db: Queryable, after: string): Promise<{ list: ApiKeyView[]; next: string | null }> {
  const list = await keysAfter(db, after);
  return { list, next: nextOf(list) };
}

/** See `platform.keysSince`. The revision is read first: what is newer in the list is read once more. */
export async function keysSince(
  db: Queryable,
  known: { revision: number; after: string },
): Promise<{ revision: number; list: KnownApiKey[] | null; next: string | null }> {
  const revision = await revisionOf(db);
  if (revision === known.revision && known.after === "") return { revision, list: null, next: null };
  const list = await validKeysAfter(db, known.after);
  return { revision, list, next: nextOf(list) };
}

/**
 * The id of a presented API key that is valid now and has the scope, by the database itself: for actions that do not
 * leave it to a gateway to say so. Fails: notLoggedIn, scopeMissing, unavailable.
 */
export async function requireKey(db: Queryable, presented: string, scope: ApiScope): Promise<string> {
  const keyId = idOfApiKey(presented);
  const known = keyId === undefined ? undefined : await findValidKey(db, keyId);
  if (!known || !isApiKey(presented, known.digest)) throw fail("notLoggedIn");
  if (!known.scopes.includes(scope)) throw fail("scopeMissing", { keyId, scope });
  return known.keyId;
}
