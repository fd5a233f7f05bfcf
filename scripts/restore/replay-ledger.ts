import { printError } from "../../broker/outputs.ts";
import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { ArchiveFilters } from "../../mixins/archive/filters.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { SealChains } from "../../mixins/seals/seal-chains.ts";
import { archiveFilterBytes } from "../../services/archive-settings.ts";
import { archivedTrades } from "../../services/archived-tables.ts";
import { bookKeys } from "../../services/book-keys.ts";
import { LedgerWriter } from "../../services/wallet/ledger-writer.ts";
import type { Command, Outcome } from "../../services/wallet/posting.ts";

/**
 * The wallet's own ledger writer on the restored database. Rows that it writes are sealed with the first key of
 * BOOK_KEYS, in chains of this process, as a wallet node's are. It publishes nothing: the events are there.
 */
export class ReplayLedger {
  private readonly database: Database;
  private readonly writer: LedgerWriter;

  /** @throws Error where the keys of the seals are not among the settings */
  constructor(mysqlUrl: string) {
    const seals = new SealChains({ service: "wallet", keys: bookKeys("wallet") });
    this.database = new Database(databaseName("wallet"), { url: mysqlUrl, connections: limits.wallet.batchesInFlight });
    const warn = (about: object, text?: string) => printError(`${text} ${JSON.stringify(about)}\n`);
    const log = { warn, error: warn };
    this.writer = new LedgerWriter(
      {
        transaction: (work) => seals.transaction(this.database, work),
        // The first transaction loads them.
        archive: new ArchiveFilters({
          ...{ mysql: this.database, table: archivedTrades, log },
          bytesMost: archiveFilterBytes(),
        }),
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

  /** The outcomes in the order of the commands; committed when it resolves. */
  submit(commands: readonly Command[]): Promise<Outcome[]> {
    return this.writer.submitAll(commands);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
