import { setTimeout as pause } from "node:timers/promises";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { type WalletServer, walletServers } from "../../services/wallet-servers.ts";
import { servicesByUser } from "../add-servers.ts";
import { Snapshot } from "./dump.ts";
import { bucketFault, movedSince, numbersAtHome, requireName } from "./ledger-servers.ts";

/** The databases of all servers, each as of one moment. */

/** A further server of ledgers. */
interface FurtherSnapshot {
  readonly server: string;
  readonly number: number;
  readonly snapshot: Snapshot;
}

export interface Snapshots {
  readonly home: Snapshot;
  readonly further: readonly FurtherSnapshot[];
}

export const closeSnapshots = async ({ home, further }: Snapshots): Promise<void> => {
  await Promise.allSettled([home.close(), ...further.map(({ snapshot }) => snapshot.close())]);
};

const databasesByUser = (): string[] => servicesByUser.map((service) => databaseName(service));

async function openOnce(
  homeUrl: string,
  databases: readonly string[],
  further: readonly WalletServer[],
): Promise<Snapshots> {
  const home = await Snapshot.open(homeUrl, databases);
  const opened: FurtherSnapshot[] = [];
  try {
    const numbers = await numbersAtHome(home.connection, further);
    const others = await Promise.allSettled(
      further.map(async ({ name, url }) => {
        const snapshot = await Snapshot.open(url, databasesByUser());
        opened.push({ server: name, number: numbers.get(name) as number, snapshot });
        await requireName(snapshot.connection, name);
      }),
    );
    for (const one of others) if (one.status === "rejected") throw one.reason;
    return { home, further: opened.toSorted((a, b) => a.number - b.number) };
  } catch (error) {
    await closeSnapshots({ home, further: opened });
    throw error;
  }
}

/**
 * Opens a snapshot of the home server and then at once of the others: what an order, a proposal or the auditor's view says
 * is done is in the ledgers, which are a little later. What is the other way round is repeated, under its business id.
 * Where a bucket was on its way at one of these moments all are opened again: its gates or postings say so, or the home
 * server knows a move that its snapshot does not, of which accounts without coins may have been taken along. @throws Error
 * where buckets move all the time
 */
export async function openSnapshots(
  homeUrl: string,
  databases: readonly string[],
  further: readonly WalletServer[],
  progress: (line: string) => void,
): Promise<Snapshots> {
  const homeName = walletServers()?.[0].name ?? "home";
  const giveUpAt = performance.now() + limits.backup.movesWaitMs;
  for (;;) {
    const snapshots = await openOnce(homeUrl, databases, further);
    const servers = snapshots.further.map(({ server, snapshot }) => ({
      name: server,
      connection: snapshot.connection,
    }));
    let fault: string | undefined;
    try {
      const home = { name: homeName, connection: snapshots.home.connection };
      if (servers.length > 0) fault = await movedSince(home.connection, homeUrl);
      fault ??= await bucketFault([home, ...servers]);
    } catch (error) {
      await closeSnapshots(snapshots);
      throw error;
    }
    if (fault === undefined) return snapshots;
    await closeSnapshots(snapshots);
    if (performance.now() > giveUpAt)
      throw new Error(`${fault}: a backup begins once no bucket moves (npm run buckets -- status)`);
    progress(`${fault}: waiting until it is there`);
    await pause(limits.backup.movesLookMs);
  }
}
