import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { type Gauge, keepGauges } from "../../mixins/gauges.ts";
import type { BattleService } from "./battle-service.ts";
import { openCounts } from "./battle-store.ts";

const gauges = {
  running: { name: "ovation.battle.running", description: "Battles that run" },
  settling: { name: "ovation.battle.settling", description: "Battles that are over and wait for their result" },
  oldest: {
    name: "ovation.battle.settling.oldest",
    description: "How long the oldest battle without a result has been over",
    unit: "second",
  },
  lag: {
    name: "ovation.battle.live.lag",
    description: "The longest time from the acceptance of a gift until it is in a live score, since the last reading",
    unit: "second",
  },
} as const satisfies Record<string, Gauge>;

export function keepBattleGauges(service: BattleService): BackgroundLoop {
  return keepGauges(service, Object.values(gauges), async () => {
    const counts = new Map((await openCounts(service.mysql)).map((count) => [count.state, count]));
    const settling = counts.get("settling");
    const oldest = settling?.oldestEnd ? (service.clock.now() - settling.oldestEnd.getTime()) / 1_000 : 0;
    return [
      { name: gauges.running.name, value: counts.get("running")?.battles ?? 0 },
      { name: gauges.settling.name, value: settling?.battles ?? 0 },
      { name: gauges.oldest.name, value: Math.max(0, oldest) },
      { name: gauges.lag.name, value: service.live.takeLag() / 1_000 },
    ];
  });
}
