import { fail } from "../../broker/failure.ts";
import { Months } from "../../mixins/archive/months.ts";
import { addHealthCheck, Degraded, healthMixin } from "../../mixins/health.mixin.ts";
import { mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { archiveAfterDays, archiveIsOn } from "../archive-settings.ts";
import { bookKeys } from "../book-keys.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { platformTimeZone } from "../rank-settings.ts";
import { ArchiveJob, type ArchiveSettings, usualArchive } from "./archive-job.ts";
import { archiverActions } from "./archiver.contract.ts";
import type { ArchiverState } from "./archiver-state.ts";
import { keepArchiveGauges } from "./gauges.ts";
import { lateness, statusOf, targetsOf } from "./targets.ts";

export default defineService<"archiver", ArchiverState>({
  name: "archiver",
  contract: archiverActions,
  settings: { ...usualArchive } satisfies ArchiveSettings,
  mixins: [mysqlMixin("archiver", migrationFolders.archiver), healthMixin],
  actions: {
    status: {
      async handler() {
        return {
          ...{ on: archiveIsOn(), afterDays: archiveAfterDays(), zone: this.zone },
          tables: await Promise.all(this.targets.map((target) => statusOf(target, this.job.troubleOf(target)))),
        };
      },
    },
    run: {
      handler(ctx) {
        if (!archiveIsOn()) throw fail("notFound", { why: "ARCHIVE is not on" });
        this.logger.info({ by: ctx.nodeID }, "the archive was asked to look for closed months");
        this.job.wake();
        return null;
      },
    },
  },

  created() {
    // Here, so that a node without keys does not start.
    this.keys = bookKeys("archiver");
    this.zone = platformTimeZone();
  },

  async started() {
    this.targets = await targetsOf({ months: new Months(this.zone), afterDays: archiveAfterDays() });
    this.job = new ArchiveJob(this);
    if (archiveIsOn()) this.job.start();
    this.archiveGauges = keepArchiveGauges(this);
    addHealthCheck(this, "archive", async () => {
      const late = await lateness(this.targets);
      if (archiveIsOn() && late !== undefined) throw new Degraded(late);
    });
  },

  async stopped() {
    await Promise.all([this.job?.stop(), this.archiveGauges?.stop()]);
    await Promise.all((this.targets ?? []).map(({ mysql }) => mysql.close()));
  },
});
