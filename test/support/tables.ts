import { config } from "../../config/config.ts";
import { snapshot } from "./books.ts";
import { eventually } from "./eventually.ts";

/** What every business table of the system holds: its rows' checksum by `database.table`. */
export type Fingerprint = Readonly<Record<string, string>>;

export async function fingerprint(except: readonly string[]): Promise<Fingerprint> {
  return snapshot("user", async (query) => {
    const tables = await query<{ db: string; name: string }>(
      `SELECT table_schema AS db, table_name AS name FROM information_schema.tables
       WHERE table_schema LIKE ? AND table_type = 'BASE TABLE' AND table_name NOT IN (?) ORDER BY 1, 2`,
      [`${config().NAMESPACE.replaceAll("_", "\\_")}\\_%`, except],
    );
    const names = tables.map(({ db, name }) => `\`${db}\`.\`${name}\``).join(", ");
    const sums = await query<{ Table: string; Checksum: string }>(`CHECKSUM TABLE ${names}`);
    return Object.fromEntries(sums.map(({ Table, Checksum }) => [Table, String(Checksum)]));
  });
}

/** The fingerprint once nothing is under way any more: the same twice, a second apart. */
export async function quietFingerprint(except: readonly string[]): Promise<Fingerprint> {
  let last = "";
  return eventually(
    "the tables are at rest",
    async () => {
      const now = await fingerprint(except);
      const text = JSON.stringify(now);
      if (text === last) return now;
      last = text;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return undefined;
    },
    15_000,
  );
}
