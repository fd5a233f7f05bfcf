import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../../mixins/gauges.ts";
import { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { openErasures } from "./erasure-store.ts";
import { eraseDue } from "./erasures.ts";

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface ErasureJobSettings {
  erasuresEveryMs: number;
}
export const erasureSettings: ErasureJobSettings = { erasuresEveryMs: limits.erasure.everyMs };

/**
 * Goes on with erasures, on one node at a time; a node that dies in the middle is followed by another one. Each step is
 * repeatable, so two nodes at once do no harm.
 */
export const erasureJob = (staff: Service & MysqlState): LeasedLoop =>
  new LeasedLoop(staff, {
    lease: "erasures",
    leaseMs: limits.erasure.leaseMs,
    name: "erasures",
    everyMs: (staff.settings as ErasureJobSettings).erasuresEveryMs,
    round: () => eraseDue(staff),
  });

const open = {
  name: "ovation.staff.erasures.open",
  description: "Users whose erasure has begun and has not ended: a service is away, or waits for money or a room",
} satisfies Gauge;
const oldest = {
  name: "ovation.staff.erasures.oldest",
  description: "Age of the oldest erasure that has not ended",
  unit: "second",
} satisfies Gauge;

export function keepErasureGauges(staff: Service & MysqlState): BackgroundLoop {
  return keepGauges(staff, [open, oldest], async () => {
    const erasures = await openErasures(staff.mysql);
    return [
      { name: open.name, value: erasures.open },
      { name: oldest.name, value: erasures.oldestMs / 1_000 },
    ];
  });
}
