import { walletServers } from "../services/wallet-servers.ts";

/**
 * For commands that know one MySQL server. @throws Error where WALLET_MYSQL_URLS names several: what they would take or
 * write is a part of the ledgers alone
 */
export function requireOneServer(command: string): void {
  const [, ...further] = walletServers() ?? [];
  if (further.length > 0)
    throw new Error(
      `${command} does not know the further servers of WALLET_MYSQL_URLS (${further.map(({ name }) => name).join(", ")}): ` +
        "back up and restore each server by its own means, all as of one time (docs/backup.md)",
    );
}
