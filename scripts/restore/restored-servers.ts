import type { Connection } from "mysql2/promise";
import { walletServers } from "../../services/wallet-servers.ts";
import { openAdmin } from "../backup/admin-connection.ts";
import { bucketFault, furtherByAdmin, numbersAtHome, requireName } from "../backup/ledger-servers.ts";
import type { Manifest } from "../backup/manifest.ts";
import type { PlacedDatabase } from "./load-databases.ts";
import type { ReplayServers } from "./replay-ledger.ts";
import type { ReplayServer } from "./replay-tables.ts";

interface FurtherServer extends ReplayServer {
  readonly connection: Connection;
}

const listed = (names: readonly string[]) => names.join(", ") || "none";

/** The servers that a backup is restored to: the home server, and those of ledgers beside it. */
export class RestoredServers {
  readonly home: Connection;
  readonly further: readonly FurtherServer[];
  /** Every database of the backup, and where it goes. */
  readonly databases: readonly (PlacedDatabase & { readonly number: number })[];
  private readonly homeName: string;

  private constructor(home: Connection, homeUrl: string, further: readonly FurtherServer[], manifest: Manifest) {
    this.home = home;
    this.homeName = walletServers()?.[0].name ?? "home";
    this.further = further;
    this.databases = [
      ...manifest.databases.map((one) => ({ ...one, connection: home, url: homeUrl, server: undefined, number: 0 })),
      ...further.flatMap(({ name, number, url, connection }) =>
        (manifest.further.find(({ server }) => server === name)?.databases ?? []).map((one) => ({
          ...{ ...one, connection, url, server: name, number },
        })),
      ),
    ];
  }

  /** @throws Error where the servers of WALLET_MYSQL_URLS are not those of the backup */
  static async open(mysqlUrl: string, manifest: Manifest): Promise<RestoredServers> {
    const wanted = furtherByAdmin(mysqlUrl);
    const names = wanted.map(({ name }) => name);
    const kept = manifest.further.map(({ server }) => server);
    if (names.toSorted().join() !== kept.toSorted().join())
      throw new Error(
        `the backup has ledgers of these servers beside the home server: ${listed(kept)}; WALLET_MYSQL_URLS names ` +
          `${listed(names)}. Each server is restored under its name, wherever it is`,
      );
    const home = await openAdmin(mysqlUrl);
    const further: FurtherServer[] = [];
    try {
      for (const { server, number } of manifest.further) {
        const { url } = wanted.find(({ name }) => name === server) as (typeof wanted)[number];
        further.push({ name: server, number, url, connection: await openAdmin(url) });
      }
      return new RestoredServers(home, mysqlUrl, further, manifest);
    } catch (error) {
      await Promise.allSettled([home, ...further.map(({ connection }) => connection)].map((one) => one.end()));
      throw error;
    }
  }

  /** For the replay; `undefined` where there is one server. */
  get ofLedgers(): ReplayServers | undefined {
    return this.further.length === 0 ? undefined : { home: this.homeName, further: this.further };
  }

  /**
   * @throws Error where the databases are not those of their servers, or a bucket was on its way when they were taken, as
   * by other means at different times: nothing is replayed into such books
   */
  async requireWhole(): Promise<void> {
    const numbers = await numbersAtHome(this.home, this.further);
    for (const { name, number, connection } of this.further) {
      await requireName(connection, name);
      if (numbers.get(name) !== number)
        throw new Error(`server ${name} has number ${numbers.get(name)} here, and ${number} in the backup`);
    }
    const fault = await bucketFault([{ name: this.homeName, connection: this.home }, ...this.further]);
    if (fault !== undefined)
      throw new Error(
        `${fault}: these databases are not of one time, and nothing was replayed. Restore all servers as of a time at ` +
          "which no bucket moved (docs/backup.md)",
      );
  }

  async close(): Promise<void> {
    await Promise.all([this.home.end(), ...this.further.map(({ connection }) => connection.end())]);
  }
}
