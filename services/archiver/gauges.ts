import type { Service } from "moleculer";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { keepGauges } from "../../mixins/gauges.ts";
import { type Target, waitingOf } from "./targets.ts";

const due = {
  name: "ovation.archive.due",
  description: "How long the oldest closed month with rows in the hot table has been due to be moved; 0 where none is",
  unit: "second",
  labelNames: ["table", "server"],
} as const;
const waiting = {
  name: "ovation.archive.waiting",
  description: "Ids of the segment that is being moved whose rows are still in the hot table",
  labelNames: ["table", "server"],
} as const;

export const keepArchiveGauges = (service: Service & { readonly targets: readonly Target[] }): BackgroundLoop =>
  keepGauges(service, [due, waiting], async () => {
    const readings = await Promise.all(
      service.targets.map(async (target) => {
        const { ids, dueMs } = await waitingOf(target);
        const labels = { table: target.table.table, server: target.server };
        return [
          { name: due.name, value: dueMs / 1_000, labels },
          { name: waiting.name, value: ids, labels },
        ];
      }),
    );
    return readings.flat();
  });
