import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../mixins/outbox.mixin.ts";
import { type AllBookKeys, allBookKeys } from "../book-keys.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { sealedAudit } from "../sealing.ts";
import { fenceServers, tellServersOf } from "../server-fence.ts";
import { eventStream } from "../streams.ts";
import { AuditJob, type AuditSettings, usualAudit } from "./audit-job.ts";
import { auditorActions } from "./auditor.contract.ts";
import { acceptFinding, findingsPage } from "./findings.ts";
import { countOpenFindings } from "./findings-store.ts";
import { type FurtherBooks, openBooks, openFurtherBooks, requireAllBooks } from "./further-books.ts";
import { keepBookGauges } from "./gauges.ts";
import { keepSealed } from "./sealed-events.ts";

interface State extends MysqlState {
  sealKeys: AllBookKeys;
  /** The other services' databases, read alone. */
  books: Database;
  /** Those of further servers. */
  further: readonly FurtherBooks[];
  audit: AuditJob;
  bookGauges: BackgroundLoop;
  serversFence: BackgroundLoop;
}

export default defineService<"auditor", State>({
  name: "auditor",
  contract: auditorActions,
  settings: { ...usualAudit } satisfies AuditSettings,
  mixins: [
    mysqlMixin("auditor", migrationFolders.auditor),
    jetstreamMixin([eventStream]),
    outboxMixin,
    ...sealedAudit("auditor"),
    healthMixin,
  ],
  actions: {
    figures: {
      async handler() {
        return { findings: await countOpenFindings(this.mysql) };
      },
    },
    findings: {
      operator: true,
      handler(ctx) {
        return findingsPage(this, ctx.params);
      },
    },
    acceptFinding: {
      operator: true,
      handler(ctx) {
        return acceptFinding(this, ctx.params);
      },
    },
  },

  channels: {
    walletSealed: keepSealed("wallet"),
    giftSealed: keepSealed("gift"),
    paymentSealed: keepSealed("payment"),
    auditorSealed: keepSealed("auditor"),
    platformSealed: keepSealed("platform"),
    staffSealed: keepSealed("staff"),
  },

  created() {
    // Here, so that a node without keys does not start.
    this.sealKeys = allBookKeys();
  },

  async started() {
    this.books = openBooks(limits.books.connections);
    await requireAllBooks(this.books);
    tellServersOf(this);
    this.serversFence = fenceServers(this, this.books);
    this.further = openFurtherBooks(limits.books.connections);
    this.audit = new AuditJob(this);
    this.bookGauges = keepBookGauges(this);
  },

  async stopped() {
    await this.serversFence?.stop();
    await this.bookGauges?.stop();
    await this.audit?.stop();
    await this.books?.close();
    await Promise.all((this.further ?? []).map(({ books }) => books.close()));
  },
});
