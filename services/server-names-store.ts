import type { Queryable } from "../mixins/mysql/database.ts";
import type { WalletServer } from "./wallet-servers.ts";

/** SQL of the names of the servers (services/wallet-servers.ts). Who may change tables writes them: scripts/add-servers.ts. */

interface NamedServer {
  readonly name: string;
  readonly number: number;
  /** Whether the row is that of the server that it is on. */
  readonly isSelf: boolean;
}

async function readNames(db: Queryable): Promise<NamedServer[]> {
  const rows = await db.query<{ name: string; number: number; is_self: number }>(
    "SELECT name, number, is_self FROM t_server ORDER BY number",
  );
  return rows.map((row) => ({ name: row.name, number: Number(row.number), isSelf: Number(row.is_self) === 1 }));
}

/** The setting lacks servers that the home server names. */
export class ServersMissing extends Error {}

/**
 * The numbers of the servers by name, as the home server has them. @throws ServersMissing where the setting lacks some;
 * Error where it has others: rows of users would be looked for elsewhere, or written twice
 */
export async function numbersOf(home: Queryable, further: readonly WalletServer[]): Promise<Map<string, number>> {
  const names = await readNames(home);
  const numbers = new Map(names.map(({ name, number }) => [name, number]));
  const missing = names.filter(({ name, number }) => number > 0 && !further.some((one) => one.name === name));
  if (missing.length > 0)
    throw new ServersMissing(
      `WALLET_MYSQL_URLS lacks ${missing.map(({ name }) => name).join(", ")}, which may have users`,
    );
  const unknown = further.filter(({ name }) => (numbers.get(name) ?? 0) === 0);
  if (unknown.length > 0)
    throw new Error(`${unknown.map(({ name }) => name).join(", ")} of WALLET_MYSQL_URLS is new: run "npm run migrate"`);
  return numbers;
}

/** @throws Error where a URL leads to another server than its name says */
export async function requireSelf(db: Queryable, name: string): Promise<void> {
  const self = (await readNames(db)).find(({ isSelf }) => isSelf);
  if (self?.name !== name)
    throw new Error(`WALLET_MYSQL_URLS: the server of ${name} is ${self === undefined ? "no such server" : self.name}`);
}
