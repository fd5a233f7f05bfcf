import type { Queryable, Transaction } from "../../mixins/mysql/database.ts";
import type { ExternalUser, UserProfile } from "./user.contract.ts";

/** The SQL of users by their ids at the platform. The column has bytes, so every comparison is exact. */

const bytesOf = (externalId: string) => Buffer.from(externalId, "utf8");

/** Fails with a duplicate key where the external id has a user. */
export async function insertExternal(tx: Transaction, { externalId, userId }: ExternalUser): Promise<void> {
  await tx.run("INSERT INTO t_user_external (external_id, user_id, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))", [
    bytesOf(externalId),
    userId,
  ]);
}

/** The profiles of the users among these external ids, by external id. */
export async function profilesOfExternal(
  db: Queryable,
  externalIds: readonly string[],
): Promise<Map<string, UserProfile>> {
  const rows = await db.query<Row & { nick_name: string; avatar: string }>(
    `SELECT e.external_id, u.user_id, u.nick_name, u.avatar FROM t_user_external e JOIN t_user u ON u.user_id = e.user_id
     WHERE e.external_id IN (?)`,
    [externalIds.map(bytesOf)],
  );
  return new Map(
    rows.map((row) => {
      const { externalId, userId } = externalUserOf(row);
      return [externalId, { userId, nickName: row.nick_name, avatar: row.avatar }];
    }),
  );
}

interface Row {
  readonly external_id: Buffer;
  readonly user_id: string | number;
}

const externalUserOf = (row: Row): ExternalUser => ({
  externalId: row.external_id.toString("utf8"),
  userId: String(row.user_id),
});

/** The users among these external ids. */
export async function usersOfExternal(db: Queryable, externalIds: readonly string[]): Promise<ExternalUser[]> {
  const sql = "SELECT external_id, user_id FROM t_user_external WHERE external_id IN (?)";
  return (await db.query<Row>(sql, [externalIds.map(bytesOf)])).map(externalUserOf);
}

/** The users among these that have an external id. */
export async function externalOfUsers(db: Queryable, userIds: readonly string[]): Promise<ExternalUser[]> {
  const sql = "SELECT external_id, user_id FROM t_user_external WHERE user_id IN (?)";
  return (await db.query<Row>(sql, [userIds])).map(externalUserOf);
}

/** Of an erased user: who comes with the same id is another one. */
export async function deleteExternalOf(tx: Transaction, userId: string): Promise<void> {
  await tx.run("DELETE FROM t_user_external WHERE user_id = ?", [userId]);
}
