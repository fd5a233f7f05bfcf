import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../mixins/gauges.ts";
import { addHealthCheck } from "../../mixins/health.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { platformTimeZone } from "../rank-settings.ts";
import { findJob } from "./jobs-store.ts";
import type { Lag } from "./lag.ts";
import { countRooms } from "./rooms-store.ts";
import { findState } from "./state-store.ts";
import { estimatedTotals } from "./totals-store.ts";

const gauges = {
  lag: {
    name: "ovation.rank.lag",
    description: "How long after its settlement a gift was counted, the last one of this node",
    unit: "second",
  },
  totals: {
    name: "ovation.rank.totals",
    description: "Sums of users on boards, as the database estimates them; up to a day old",
  },
  rooms: { name: "ovation.rank.rooms", description: "Rooms with a board, counted up to a bound" },
  differences: {
    name: "ovation.rank.differences",
    description: "Differences that the last verification found",
  },
} as const satisfies Record<string, Gauge>;

type Ranks = Service & MysqlState & { lag: Lag };

/** What the last verification found, where it has ended. */
async function differencesOf({ mysql }: Ranks): Promise<number> {
  const job = await findJob(mysql, "verify");
  if (job?.state !== "done" || job.result === null) return 0;
  return Number((JSON.parse(job.result) as { differences?: unknown }).differences ?? 0);
}

/** The state of the ranks in GET /metrics, and in readiness: what is wrong with them degrades the service. */
export function keepRankGauges(ranks: Ranks): BackgroundLoop {
  const { mysql, lag } = ranks;
  addHealthCheck(
    ranks,
    "ranks",
    async () => {
      if (lag.ms > limits.rank.lagDegradedMs)
        throw new Error(`gifts are counted ${Math.round(lag.ms / 1_000)} s after their settlement`);
      const state = await findState(mysql);
      if (state && state.zone !== platformTimeZone())
        throw new Error(
          `periods are of ${state.zone}, not of PLATFORM_TIMEZONE: npm run ranks -- rebuild --anew takes it over`,
        );
      const rebuild = await findJob(mysql, "rebuild");
      if (rebuild?.state === "running" && rebuild.result !== null)
        throw new Error(`the rebuild does not get on: ${rebuild.result}`);
      const differences = await differencesOf(ranks);
      if (differences > 0) throw new Error(`the ranks differ from the gift records: ${differences}`);
    },
    { degrades: true },
  );
  return keepGauges(ranks, Object.values(gauges), async () => [
    { name: gauges.lag.name, value: lag.ms / 1_000 },
    { name: gauges.totals.name, value: await estimatedTotals(mysql) },
    { name: gauges.rooms.name, value: await countRooms(mysql, limits.metrics.countedRows) },
    { name: gauges.differences.name, value: await differencesOf(ranks) },
  ]);
}
