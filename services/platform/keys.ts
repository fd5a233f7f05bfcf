import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database, Queryable } from "../../mixins/mysql/database.ts";
import { makeApiKey } from "../api-keys.ts";
import type { ApiScope } from "../api-scopes.ts";
import {
  countValidKeys,
  findKey,
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

const nextOf = (list: readonly { keyId: string }[], limit: number): string | null =>
  list.length === limit ? (list.at(-1)?.keyId ?? null) : null;

/** See `platform.listKeys`. */
export async function listKeys(
  db: Queryable,
  { after, limit }: { after: string; limit: number },
): Promise<{ list: ApiKeyView[]; next: string | null }> {
  const list = await keysAfter(db, after, limit);
  return { list, next: nextOf(list, limit) };
}

/**
 * See `platform.keysSince`. A list and its revision are of one moment: nodes of a database cluster may each show another
 * one, and a list from before a revision would be kept as that revision's.
 */
export async function keysSince(
  mysql: Database,
  known: { revision: number; after: string },
): Promise<{ revision: number; list: KnownApiKey[] | null; next: string | null }> {
  const present = await revisionOf(mysql);
  if (present === known.revision && known.after === "") return { revision: present, list: null, next: null };
  return mysql.snapshot(async (db) => {
    const revision = await revisionOf(db);
    const list = await validKeysAfter(db, known.after);
    return { revision, list, next: nextOf(list, limits.platform.keysPerPage) };
  });
}
