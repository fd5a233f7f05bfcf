import { printError } from "../../broker/outputs.ts";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { ArchiveFilters } from "../../mixins/archive/filters.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { SealChains } from "../../mixins/seals/seal-chains.ts";
import { archiveFilterBytes } from "../../services/archive-settings.ts";
import { archivedTrades } from "../../services/archived-tables.ts";
import { bookKeys } from "../../services/book-keys.ts";
import { BucketWatch } from "../../services/wallet/buckets/bucket-watch.ts";
import { type LedgerServer, LedgerServers, type ServerView } from "../../services/wallet/buckets/ledger-servers.ts";
import { lookElsewhere, SplitWriter } from "../../services/wallet/buckets/split-writer.ts";
import { LedgerWriter } from "../../services/wallet/ledger-writer.ts";
import type { Command, Outcome } from "../../services/wallet/posting.ts";
import type { LedgerCommands, WriterPorts } from "../../services/wallet/writer-ports.ts";
import type { ReplayServer } from "./replay-tables.ts";

/** The servers of ledgers beside the home server, and its name. */
export interface ReplayServers {
  readonly home: string;
  readonly further: readonly ReplayServer[];
}

const warn = (about: object, text?: string) => printError(`${text} ${JSON.stringify(about)}\n`);
const log = { warn, error: warn };

/** One server's database, seals and filters of archived trades. */
function openLedger(url: string, servers: number) {
  const seals = new SealChains({ service: "wallet", keys: bookKeys("wallet") });
  const mysql = new Database(databaseName("wallet"), { url, connections: limits.wallet.batchesInFlight });
  // The first transaction loads them.
  const archive = new ArchiveFilters({
    ...{ mysql, table: archivedTrades, log, bytesMost: archiveFilterBytes(servers) },
  });
  return { seals, mysql, archive };
}

function writerOn(
  { seals, mysql, archive }: ReturnType<typeof openLedger>,
  elsewhere?: WriterPorts["elsewhere"],
): LedgerWriter {
  return new LedgerWriter(
    {
      ...(elsewhere && { elsewhere }),
      transaction: (work) => seals.transaction(mysql, work),
      archive,
      // Nobody else writes: the services are stopped.
      acquire: async (keys) => ({ acquired: new Set(keys), degraded: false, unlock: async () => {} }),
      writeEvents: async () => {},
      committed: () => {},
      now: () => Date.now(),
      warn,
    },
    {
      batchCommands: limits.wallet.batchCommands,
      batchesInFlight: limits.wallet.batchesInFlight,
      queuedCommands: limits.wallet.queuedCommands,
      // A restore waits for as long as it takes.
      staleMs: Number.POSITIVE_INFINITY,
      lockWaitMs: limits.lock.waitMs,
      lockRetryMs: limits.lock.retryEveryMs,
    },
  );
}

/**
 * The wallet's own ledger writer on the restored databases; of several servers each gets the commands of its users, by the
 * restored map of buckets. Rows that it writes are sealed with the first key of BOOK_KEYS, in chains of this process, as a
 * wallet node's are. It publishes nothing: the events are there.
 */
export class ReplayLedger {
  private readonly writer: Pick<LedgerCommands, "submitAll">;
  private readonly closing: readonly (() => Promise<void>)[];

  private constructor(writer: Pick<LedgerCommands, "submitAll">, closing: readonly (() => Promise<void>)[]) {
    this.writer = writer;
    this.closing = closing;
  }

  /** @throws Error where the keys of the seals are not among the settings */
  static async open(mysqlUrl: string, servers?: ReplayServers): Promise<ReplayLedger> {
    const home = openLedger(mysqlUrl, 1 + (servers?.further.length ?? 0));
    if (!servers) return new ReplayLedger(writerOn(home), [() => home.mysql.close()]);
    const others = servers.further.map((server) => ({
      ...server,
      ...openLedger(server.url, 1 + servers.further.length),
    }));
    const opened = [{ name: servers.home, number: 0, ...home }, ...others];
    const databases = opened.map(
      ({ mysql }) =>
        () =>
          mysql.close(),
    );
    try {
      const watch = await BucketWatch.open(home.mysql, servers.home, log as never);
      const views = opened.map(
        ({ name, number, ...own }): LedgerServer => ({ name, number, view: { ...own } as unknown as ServerView }),
      );
      const [first, ...rest] = views as [LedgerServer, ...LedgerServer[]];
      const ledgers = LedgerServers.several({ servers: [first, ...rest], watch });
      for (const { name, view } of views)
        view.writer = writerOn(view, (commands) => lookElsewhere(ledgers, name, commands));
      return new ReplayLedger(new SplitWriter(ledgers), [() => watch.stop(), ...databases]);
    } catch (error) {
      await Promise.all(databases.map((close) => close()));
      throw error;
    }
  }

  /** The outcomes in the order of the commands; committed when it resolves. */
  submit(commands: readonly Command[]): Promise<Outcome[]> {
    return this.writer.submitAll(commands);
  }

  async close(): Promise<void> {
    for (const close of this.closing) await close();
  }
}
