import { fail } from "../../broker/failure.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { platformTimeZone, ranksAreOn } from "../rank-settings.ts";
import { eventStream } from "../streams.ts";
import { UserNames } from "../user-names.ts";
import { countedEvents } from "./counted-events.ts";
import { DatabaseClock } from "./database-clock.ts";
import { keepRankGauges } from "./gauges.ts";
import { GiftCounter } from "./gift-counter.ts";
import { askForRebuild, askForVerification, begin, statusOf } from "./job-requests.ts";
import { RankJobs } from "./jobs.ts";
import { Lag } from "./lag.ts";
import { RankMaintenance } from "./maintenance.ts";
import { rankActions } from "./rank.contract.ts";
import { Ranking } from "./ranking.ts";
import { databaseTimeMs } from "./state-store.ts";

interface State extends MysqlState {
  zone: string;
  clock: DatabaseClock;
  counter: GiftCounter;
  ranking: Ranking;
  lag: Lag;
  jobs: RankJobs;
  maintenance: RankMaintenance;
  rankGauges: BackgroundLoop;
}

const off = {
  handler: () => {
    throw fail("notFound", { why: "RANKS=off" });
  },
};

/** With RANKS=off: it counts nothing, has no database and no consumer. */
const withoutRanks = () =>
  defineService<"rank">({
    name: "rank",
    contract: rankActions,
    mixins: [healthMixin],
    actions: { room: off, anchor: off, global: off, status: off, rebuild: off, verify: off },
  });

const ranks = () =>
  defineService<"rank", State>({
    name: "rank",
    contract: rankActions,
    settings: {},
    mixins: [mysqlMixin("rank", migrationFolders.rank), jetstreamMixin([eventStream]), healthMixin],

    actions: {
      room: {
        async handler({ params: { userId, ...wanted } }) {
          return this.ranking.show(wanted, userId);
        },
      },
      anchor: {
        async handler({ params: { userId, ...wanted } }) {
          return this.ranking.show(wanted, userId);
        },
      },
      global: {
        async handler({ params: { userId, ...wanted } }) {
          return this.ranking.show(wanted, userId);
        },
      },
      status: {
        async handler() {
          return statusOf(this.mysql, this.zone);
        },
      },
      rebuild: {
        async handler(ctx) {
          const { from, anew } = ctx.params;
          const since = from === undefined ? null : new Date(from);
          await askForRebuild(this.mysql, { since, anew, zone: this.zone });
          this.logger.info({ since, anew, by: ctx.nodeID }, "a rebuild of the ranks was asked for");
          this.jobs.wake();
          return null;
        },
      },
      verify: {
        async handler(ctx) {
          await askForVerification(this.mysql);
          this.logger.info({ by: ctx.nodeID }, "a verification of the ranks was asked for");
          this.jobs.wake();
          return null;
        },
      },
    },

    channels: { gifts: countedEvents },

    created() {
      this.zone = platformTimeZone();
      this.lag = new Lag();
    },

    async started() {
      const { mysql, broker, logger } = this;
      await begin(mysql, this.zone);
      this.clock = new DatabaseClock(() => databaseTimeMs(mysql));
      this.counter = new GiftCounter({ mysql, clock: this.clock });
      const load = async (userIds: string[]) => (await call(broker, "user.profiles", { userIds })).list;
      const calendarOf = (zone: string) => this.counter.calendarOf(zone);
      const names = new UserNames({ load, log: logger });
      this.ranking = new Ranking({ mysql, clock: this.clock, names, calendarOf });
      this.jobs = new RankJobs(this);
      this.maintenance = new RankMaintenance(this);
      this.rankGauges = keepRankGauges(this);
    },

    async stopped() {
      await Promise.all([this.rankGauges?.stop(), this.jobs?.stop(), this.maintenance?.stop()]);
    },
  });

export default ranksAreOn() ? ranks() : withoutRanks();
