import { limits } from "../../config/limits.ts";
import { isBeyond, type Skew } from "../clock/skew.ts";
import type { Finding } from "./checks.ts";

/** Whether the clocks of the servers and of this machine agree. Pure. */

const seconds = (ms: number) => `${ms >= 0 ? "+" : ""}${(ms / 1_000).toFixed(3)} s`;

/** One finding for all: the machines whose clocks are furthest apart, this one among them. `node`: this machine. */
export function judgeClocks(skews: readonly Skew[], node: string): Finding[] {
  const own: Skew = { server: node, ms: 0, uncertainMs: 0 };
  const sorted = [own, ...skews].toSorted((one, other) => one.ms - other.ms);
  const [first = own, last = own] = [sorted[0], sorted.at(-1)];
  const apart = { ms: last.ms - first.ms, uncertainMs: last.uncertainMs + first.uncertainMs };
  const { reportedMs } = limits.clock;
  if (!isBeyond(apart, reportedMs)) return [];
  return [
    {
      ...{ check: "clock.skew", severity: "speed", server: node },
      found: skews.map(({ server, ms }) => `${server} ${seconds(ms)}`).join(", "),
      wanted: `all within ${reportedMs / 1_000} s`,
      risk: "gifts and battles have JetStream's time, rows MySQL's, logins and calls of providers this machine's: they do not fit",
      repair: "synchronise the clocks of all machines (chrony, NTP)",
    },
  ];
}
