import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../mixins/gauges.ts";
import { addHealthCheck } from "../../mixins/health.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { AuditJob } from "./audit-job.ts";
import { countFindings } from "./findings-store.ts";
import { lastPass, roundAgeMs } from "./runs-store.ts";

const gauges = {
  differences: {
    name: "ovation.books.differences",
    description: "Differences of the books that nobody has accepted, by kind",
    labelNames: ["kind"],
  },
  accepted: {
    name: "ovation.books.differences.accepted",
    description: "Differences of the books that an operator has accepted as they are, by kind",
    labelNames: ["kind"],
  },
  age: {
    name: "ovation.books.pass.age",
    description: "Time since the last complete pass over the books ended",
    unit: "second",
  },
  roundAge: {
    name: "ovation.books.round.age",
    description: "Time since the last round over what is new ended in which every check came to its end",
    unit: "second",
  },
  rate: {
    name: "ovation.books.rows.rate",
    description: "Rows a second that the last complete pass compared",
  },
} as const satisfies Record<string, Gauge>;

const comparedRows = {
  name: "ovation.books.rows",
  description: "Rows of the books that this node has compared",
} as const;

type Auditor = Service & MysqlState & { audit: AuditJob };

/** The state of the comparison in GET /metrics, and in readiness: a difference degrades the auditor. */
export function keepBookGauges(auditor: Auditor): BackgroundLoop {
  const { mysql, broker, audit } = auditor;
  const startedAt = performance.now();
  broker.metrics.register({ type: "counter", ...comparedRows, labelNames: ["service"] });
  let counted = 0;
  addHealthCheck(
    auditor,
    "books",
    async () => {
      const counted = [...(await countFindings(mysql))].filter(([, { open }]) => open > 0);
      const list = counted.map(([kind, { open }]) => `${kind} ${open}`).join(", ");
      if (list) throw new Error(`the books differ: ${list} (see books/findings)`);
      const roundAge = (await roundAgeMs(mysql)) ?? performance.now() - startedAt;
      if (roundAge > limits.books.roundLateMs)
        throw new Error(`the last complete round over the books ended ${Math.round(roundAge / 1_000)} s ago`);
      const age = (await lastPass(mysql))?.ageMs ?? performance.now() - startedAt;
      if (age > limits.books.passLateMs)
        throw new Error(`the last complete pass over the books ended ${Math.round(age / 3_600_000)} h ago`);
    },
    { degrades: true },
  );
  return keepGauges(auditor, Object.values(gauges), async () => {
    const { compared } = audit;
    broker.metrics.increment(comparedRows.name, { service: auditor.name }, compared - counted);
    counted = compared;
    const last = await lastPass(mysql);
    const differences = [...(await countFindings(mysql))].flatMap(([kind, { open, accepted }]) => [
      { name: gauges.differences.name, value: open, labels: { kind } },
      { name: gauges.accepted.name, value: accepted, labels: { kind } },
    ]);
    const roundAge = (await roundAgeMs(mysql)) ?? performance.now() - startedAt;
    const ageMs = last?.ageMs ?? performance.now() - startedAt;
    return [
      ...differences,
      { name: gauges.age.name, value: ageMs / 1_000 },
      { name: gauges.roundAge.name, value: roundAge / 1_000 },
      ...(last
        ? [{ name: gauges.rate.name, value: Math.round(last.rows / Math.max(last.tookMs / 1_000, 0.001)) }]
        : []),
    ];
  });
}
