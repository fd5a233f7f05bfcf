import { databaseName, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { type BookKeys, bookKeys, booksReplicaUrl } from "../book-keys.ts";
import { checkpointDigest, verdictOf } from "../book-seals.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { checkedAnyway, onEvent } from "../durable-event.ts";
import { eventStream } from "../streams.ts";
import { AuditJob, type AuditSettings, usualAudit } from "./audit-job.ts";
import { auditorActions } from "./auditor.contract.ts";
import { keepBookGauges } from "./gauges.ts";
import { keepCheckpoint } from "./seen-seals-store.ts";

interface State extends MysqlState {
  bookKeys: BookKeys;
  /** The other services' databases, read alone. */
  books: Database;
  audit: AuditJob;
  bookGauges: BackgroundLoop;
}

export default defineService<"auditor", State>({
  name: "auditor",
  contract: auditorActions,
  settings: { ...usualAudit } satisfies AuditSettings,
  mixins: [mysqlMixin("auditor", migrationFolders.auditor), jetstreamMixin([eventStream]), healthMixin],
  actions: {},

  channels: {
    sealed: onEvent(
      "books.sealed",
      async function ({ data }) {
        const { number, digest, key } = data;
        const verdict = verdictOf(this.bookKeys, key, digest, (bookKey) => checkpointDigest(bookKey, data));
        if (verdict !== "right") {
          const toDo =
            verdict === "unknownKey" ? "add the key to BOOK_KEYS, if it is one" : "find out who published it";
          this.logger.error({ number, key, digest, toDo }, "an event books.sealed without a valid digest is not kept");
          return;
        }
        const kept = await keepCheckpoint(this.mysql, data);
        if (kept !== digest)
          this.logger.error({ number, kept, digest }, "two events books.sealed of one number differ: one is forged");
      },
      { fromBooks: checkedAnyway },
    ),
  },

  created() {
    // Here, so that a node without keys does not start.
    this.bookKeys = bookKeys();
  },

  started() {
    this.books = new Database(databaseName("wallet"), {
      url: booksReplicaUrl() ?? serviceUrl("MYSQL_URL", "auditor"),
      reads: true,
      connections: limits.books.connections,
      statementTimeoutMs: limits.books.statementTimeoutMs,
    });
    this.audit = new AuditJob(this);
    this.bookGauges = keepBookGauges(this);
  },

  async stopped() {
    await this.bookGauges?.stop();
    await this.audit?.stop();
    await this.books?.close();
  },
});
