import { limits } from "../../config/limits.ts";
import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import { type ApiScope, isApiScope } from "../api-scopes.ts";
import type { ApiKeyView, KnownApiKey } from "./platform.contract.ts";

/** The SQL of API keys. */

interface KeyRow {
  readonly key_id: string;
  readonly name: string;
  readonly digest: string;
  readonly scopes: string;
  readonly per_minute: number | null;
  readonly created_by: string;
  readonly create_time: Date;
  readonly revoked_time: Date | null;
}

/** A name that this release does not know gives nothing. */
const scopesOf = (text: string): ApiScope[] => text.split(",").filter(isApiScope);

const viewOf = (row: KeyRow): ApiKeyView => ({
  ...{ keyId: row.key_id, name: row.name, scopes: scopesOf(row.scopes), createdBy: row.created_by },
  perMinute: row.per_minute === null ? null : Number(row.per_minute),
  createTime: row.create_time.toISOString(),
  revokedTime: row.revoked_time?.toISOString() ?? null,
});

const columns = "key_id, name, digest, scopes, per_minute, created_by, create_time, revoked_time";

/** Locks the keys until the end of the transaction. Returns the new revision. */
export async function raiseRevision(tx: Transaction): Promise<number> {
  await tx.run(
    `INSERT INTO t_api_key_revision (id, revision) VALUES (1, 1) ON DUPLICATE KEY UPDATE revision = revision + 1`,
  );
  return revisionOf(tx);
}

export async function revisionOf(db: Queryable): Promise<number> {
  const [row] = await db.query<{ revision: string }>("SELECT revision FROM t_api_key_revision WHERE id = 1");
  return Number(row?.revision ?? 0);
}

export async function countValidKeys(db: Queryable): Promise<number> {
  const [row] = await db.query<{ valid: string }>("SELECT COUNT(*) AS valid FROM t_api_key WHERE revoked_time IS NULL");
  return Number(row?.valid ?? 0);
}

export interface NewApiKey extends KnownApiKey {
  readonly name: string;
  readonly operator: string;
}

export async function insertKey(tx: Transaction, key: NewApiKey): Promise<void> {
  await tx.run(
    `INSERT INTO t_api_key (key_id, name, digest, scopes, per_minute, created_by, create_time)
     VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))`,
    [key.keyId, key.name, key.digest, key.scopes.join(","), key.perMinute, key.operator],
  );
}

/** A key that is revoked already stays as it is. */
export async function revokeKeyRow(tx: Transaction, keyId: string, operator: string): Promise<void> {
  await tx.run(
    "UPDATE t_api_key SET revoked_time = UTC_TIMESTAMP(3), revoked_by = ? WHERE key_id = ? AND revoked_time IS NULL",
    [operator, keyId],
  );
}

export async function findKey(db: Queryable, keyId: string): Promise<ApiKeyView | undefined> {
  const [row] = await db.query<KeyRow>(`SELECT ${columns} FROM t_api_key WHERE key_id = ?`, [keyId]);
  return row && viewOf(row);
}

/** The first `limit` keys after an id, by id. */
export async function keysAfter(db: Queryable, after: string, limit: number): Promise<ApiKeyView[]> {
  const rows = await db.query<KeyRow>(`SELECT ${columns} FROM t_api_key WHERE key_id > ? ORDER BY key_id LIMIT ?`, [
    after,
    limit,
  ]);
  return rows.map(viewOf);
}

const knownOf = ({ key_id, digest, scopes, per_minute }: KeyRow): KnownApiKey => ({
  ...{ keyId: key_id, digest, scopes: scopesOf(scopes), perMinute: per_minute === null ? null : Number(per_minute) },
});

/** The valid keys after an id, by id. */
export async function validKeysAfter(db: Queryable, after: string): Promise<KnownApiKey[]> {
  const rows = await db.query<KeyRow>(
    `SELECT ${columns} FROM t_api_key WHERE revoked_time IS NULL AND key_id > ? ORDER BY key_id LIMIT ?`,
    [after, limits.platform.keysPerPage],
  );
  return rows.map(knownOf);
}

/** A key, if it is valid. */
export async function findValidKey(db: Queryable, keyId: string): Promise<KnownApiKey | undefined> {
  const [row] = await db.query<KeyRow>(`SELECT ${columns} FROM t_api_key WHERE key_id = ? AND revoked_time IS NULL`, [
    keyId,
  ]);
  return row && knownOf(row);
}
