import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { LeasedLoop } from "../leased-loop.ts";
import type { Queryable } from "../mysql/database.ts";
import type { MysqlState } from "../mysql.mixin.ts";

/** Rows of a table that are kept for a time, and then erased (services/retention.ts). */
export interface KeptRows {
  readonly table: string;
  /**
   * Erases what is too old, of at most so many rows, by an index. `more`: there may be further ones. `oldest`: the time of
   * the oldest row that is kept; `null` where there is none.
   */
  erase(db: Queryable, rows: number): Promise<{ erased: number; more: boolean; oldest: Date | null }>;
}

const erased = {
  name: "ovation.retention.erased",
  description: "Rows that were removed, or whose texts were, since they were kept for as long as they should be",
} as const;
const oldest = {
  name: "ovation.retention.oldest",
  description: "Age of the oldest row that is kept, of tables whose rows are kept for a time; on the node that erases",
  unit: "second",
} as const;

/** Erases in the background, on one node at a time, `limits.retention.rows` rows in a statement. */
export function retentionLoop(service: Service & MysqlState, tables: readonly KeptRows[]): LeasedLoop {
  const { metrics } = service.broker;
  metrics.register({ type: "counter", ...erased, labelNames: ["service", "table"] });
  metrics.register({ type: "gauge", ...oldest, labelNames: ["service", "table"] });
  return new LeasedLoop(service, {
    lease: "retention",
    leaseMs: limits.retention.leaseMs,
    name: "retention",
    everyMs: limits.retention.everyMs,
    round: async () => {
      let more = false;
      for (const kept of tables) {
        const round = await kept.erase(service.mysql, limits.retention.rows);
        const labels = { service: service.name, table: kept.table };
        metrics.increment(erased.name, labels, round.erased);
        metrics.set(oldest.name, round.oldest ? (Date.now() - round.oldest.getTime()) / 1_000 : 0, labels);
        if (round.erased > 0) service.logger.info({ ...labels, rows: round.erased }, "old rows are erased");
        more ||= round.more;
      }
      return more;
    },
  });
}
