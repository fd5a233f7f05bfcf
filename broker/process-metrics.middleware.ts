import type { Middleware, ServiceBroker } from "moleculer";
import { limits } from "../config/limits.ts";

/** The gauges of a node's process, read every few seconds. */
export const processGauges = {
  cpu: {
    name: "ovation.process.cpu",
    description: "CPU that the node's process used lately, 100 is one core",
    unit: "percent",
  },
  memory: {
    name: "ovation.process.memory",
    description: "Resident memory of the node's process",
    unit: "byte",
  },
  uptime: { name: "ovation.process.uptime", description: "How long the node's process has run", unit: "second" },
} as const;

/** Keeps the gauges of the process from the broker's start until its stop. */
export function processMetrics(): Middleware {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: "ProcessMetrics",
    created({ metrics }: ServiceBroker) {
      for (const gauge of Object.values(processGauges)) metrics.register({ type: "gauge", ...gauge });
      let since = { at: performance.now(), used: process.cpuUsage() };
      const read = () => {
        const [at, used] = [performance.now(), process.cpuUsage(since.used)];
        const ms = at - since.at;
        if (ms > 0) metrics.set(processGauges.cpu.name, Math.round((used.user + used.system) / 10 / ms));
        metrics.set(processGauges.memory.name, process.memoryUsage.rss());
        metrics.set(processGauges.uptime.name, Math.round(process.uptime()));
        since = { at, used: process.cpuUsage() };
      };
      read();
      timer = setInterval(read, limits.metrics.readEveryMs);
      timer.unref();
    },
    async stopped() {
      clearInterval(timer);
    },
  };
}
