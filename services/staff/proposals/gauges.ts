import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../../mixins/gauges.ts";
import { addHealthCheck, Degraded, type HealthState } from "../../../mixins/health.mixin.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { countProposals } from "./proposal-count-store.ts";

const open = {
  name: "ovation.staff.proposals.open",
  description: "Moves of money that wait for the approval of another person",
} satisfies Gauge;
const approved = {
  name: "ovation.staff.moves.pending",
  description: "Moves of money that are approved and not carried out yet",
} satisfies Gauge;
const oldest = {
  name: "ovation.staff.moves.pending.oldest",
  description: "How long the oldest of them has been approved",
  unit: "second",
} satisfies Gauge;

/** The gauges of staff's moves; the service is degraded while one has not been carried out for too long. */
export function keepProposalGauges(staff: Service & MysqlState & HealthState): BackgroundLoop {
  const { mysql } = staff;
  addHealthCheck(
    staff,
    "moves of money",
    async () => {
      const { approved: pending, oldestMs } = await countProposals(mysql);
      if (oldestMs > limits.proposals.lateMs)
        throw new Degraded(`${pending} moves are not carried out, the oldest for ${Math.round(oldestMs)} ms`);
    },
    { degrades: true },
  );
  return keepGauges(staff, [open, approved, oldest], async () => {
    const counts = await countProposals(mysql);
    return [
      { name: open.name, value: counts.open },
      { name: approved.name, value: counts.approved },
      { name: oldest.name, value: counts.oldestMs / 1_000 },
    ];
  });
}
