import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../../mixins/gauges.ts";
import { addHealthCheck, Degraded, type HealthState } from "../../../mixins/health.mixin.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { readOpenOrders } from "./order-store.ts";

const pending = {
  name: "ovation.platform.orders.pending",
  description: "Orders to move money that are written and not carried out yet",
} satisfies Gauge;
const oldest = {
  name: "ovation.platform.orders.pending.oldest",
  description: "The age of the oldest of them",
  unit: "millisecond",
} satisfies Gauge;
const proposals = {
  name: "ovation.platform.proposals.open",
  description: "Adjustments that wait for the approval of another person",
} satisfies Gauge;

/** The gauges of orders to move money; the service is degraded while one has been pending for too long. */
export function keepMoneyGauges(platform: Service & MysqlState & HealthState): BackgroundLoop {
  const { mysql } = platform;
  addHealthCheck(
    platform,
    "money orders",
    async () => {
      const open = await readOpenOrders(mysql);
      if (open.oldestMs > limits.platform.pendingLateMs)
        throw new Degraded(
          `${open.pending} orders are not carried out, the oldest for ${Math.round(open.oldestMs)} ms`,
        );
    },
    { degrades: true },
  );
  return keepGauges(platform, [pending, oldest, proposals], async () => {
    const open = await readOpenOrders(mysql);
    return [
      { name: pending.name, value: open.pending },
      { name: oldest.name, value: open.oldestMs },
      { name: proposals.name, value: open.proposals },
    ];
  });
}
