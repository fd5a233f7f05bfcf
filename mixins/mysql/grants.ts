import type { Connection, RowDataPacket } from "mysql2/promise";
import { serversOf } from "../../config/server-urls.ts";

/** The privileges of a login by place: a table (`tablePlace`), or a whole database (`databasePlace`). */
export type Privileges = ReadonlyMap<string, readonly string[]>;

/** A login at MySQL, from any host: where it may come from is the network's affair. */
export interface Login {
  readonly user: string;
  /** `undefined`: the account exists, and its password is not changed. */
  readonly password: string | undefined;
}

/** What a URL says about a login. @throws Error where it names nobody. */
export function loginOf(url: string, variable: string): Login {
  const [{ username, password }] = serversOf(url);
  if (username === "") throw new Error(`${variable} names no login`);
  return { user: decodeURIComponent(username), password: password === "" ? undefined : decodeURIComponent(password) };
}

const host = "%";

/** An account as information_schema has it. */
const granteeOf = (user: string) => `'${user}'@'${host}'`;

/**
 * What keeps `applyLogin` from saying what a login may do: an account of its name at another host, whose rights MySQL
 * uses where the client's address fits it better, and roles. Empty where nothing does.
 */
export async function obstaclesOf(admin: Connection, user: string): Promise<string[]> {
  const prefix = `'${user}'@`;
  const [rows] = await admin.query<RowDataPacket[]>(
    `SELECT DISTINCT grantee AS account FROM information_schema.user_privileges
     WHERE LEFT(grantee, CHAR_LENGTH(?)) = ? ORDER BY grantee`,
    [prefix, prefix],
  );
  const accounts = rows.map(({ account }) => String(account));
  const own = granteeOf(user);
  const others = accounts.filter((account) => account !== own).map((account) => `there is another account ${account}`);
  return accounts.includes(own) ? [...others, ...(await rolesOf(admin, user))] : others;
}

/** Roles are granted without a place: the one kind of GRANT that has no ON. */
async function rolesOf(admin: Connection, user: string): Promise<string[]> {
  const [rows] = await admin.query<RowDataPacket[]>("SHOW GRANTS FOR ?@?", [user, host]);
  const grants = rows.flatMap((row) => Object.values(row).map(String));
  return grants.flatMap((grant) => {
    const [, roles] = /^GRANT ((?:(?! ON ).)+?) TO /.exec(grant) ?? [];
    return roles === undefined ? [] : [`it has the role ${roles}`];
  });
}

/**
 * Gives a login exactly these privileges: makes the account where it is missing, sets its password, grants what is
 * missing and revokes everything else, so that a repeat changes nothing and a login that works keeps working meanwhile.
 * The connection needs CREATE USER, the privileges themselves with GRANT OPTION, and SELECT on `mysql` (without it,
 * nothing is seen of what should be revoked). @throws the server's error
 */
export async function applyLogin(admin: Connection, login: Login, wanted: Privileges): Promise<void> {
  const account = [login.user, host];
  if (login.password !== undefined) {
    await admin.query("CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?", [...account, login.password]);
    await admin.query("ALTER USER ?@? IDENTIFIED BY ?", [...account, login.password]);
  }
  const present = await privilegesOf(admin, login.user);
  for (const [place, privileges] of wanted) {
    const missing = privileges.filter((privilege) => !present.get(place)?.includes(privilege));
    if (missing.length > 0) await admin.query(`GRANT ${missing.join(", ")} ON ${quoted(place)} TO ?@?`, account);
  }
  for (const [place, privileges] of present) {
    const surplus = privileges.filter((privilege) => !wanted.get(place)?.includes(privilege));
    if (surplus.length > 0) await admin.query(`REVOKE ${surplus.join(", ")} ON ${quoted(place)} FROM ?@?`, account);
  }
}

/**
 * All that the login may do, by place, which may also be `*.*`; a right to one column has its name, as in a GRANT.
 * USAGE, which allows nothing, is left out.
 */
export async function privilegesOf(admin: Connection, user: string): Promise<Map<string, string[]>> {
  const grantee = granteeOf(user);
  const [rows] = await admin.query<RowDataPacket[]>(
    `SELECT '*.*' AS place, privilege_type AS privilege, is_grantable AS grantable
     FROM information_schema.user_privileges WHERE grantee = ?
     UNION ALL SELECT CONCAT(table_schema, '.*'), privilege_type, is_grantable
     FROM information_schema.schema_privileges WHERE grantee = ?
     UNION ALL SELECT CONCAT(table_schema, '.', table_name), privilege_type, is_grantable
     FROM information_schema.table_privileges WHERE grantee = ?
     UNION ALL SELECT CONCAT(table_schema, '.', table_name), CONCAT(privilege_type, ' (\`', column_name, '\`)'), 'NO'
     FROM information_schema.column_privileges WHERE grantee = ?`,
    [grantee, grantee, grantee, grantee],
  );
  const found = new Map<string, string[]>();
  for (const { place, privilege, grantable } of rows) {
    const all = [String(privilege), ...(grantable === "YES" ? ["GRANT OPTION"] : [])].filter((one) => one !== "USAGE");
    if (all.length > 0) found.set(place, [...new Set([...(found.get(place) ?? []), ...all])]);
  }
  return found;
}

export const tablePlace = (database: string, table: string) => `${database}.${table}`;

/** `_` and `%` in the name of a whole database are patterns in a GRANT, unless they are escaped. */
export const databasePlace = (database: string) => `${database.replaceAll(/[_%]/g, "\\$&")}.*`;

const quoted = (place: string) =>
  place
    .split(".")
    .map((part) => (part === "*" ? part : `\`${part}\``))
    .join(".");
