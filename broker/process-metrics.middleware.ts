import { monitorEventLoopDelay } from "node:perf_hooks";
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
  heap: { name: "ovation.process.heap", description: "Heap of V8 that the node's process uses", unit: "byte" },
  loopDelay: {
    name: "ovation.process.loop.delay",
    description: "How late the event loop was lately: 99 % of the time it was less",
    unit: "millisecond",
  },
  loopDelayMax: {
    name: "ovation.process.loop.delay.max",
    description: "The longest that the event loop was late lately",
    unit: "millisecond",
  },
  loopBusy: {
    name: "ovation.process.loop.busy",
    description: "The share of the time in which the event loop was busy lately",
    unit: "percent",
  },
  uptime: { name: "ovation.process.uptime", description: "How long the node's process has run", unit: "second" },
} as const;

/** Keeps the gauges of the process from the broker's start until its stop. */
export function processMetrics(): Middleware {
  let timer: NodeJS.Timeout | undefined;
  const loop = monitorEventLoopDelay({ resolution: limits.metrics.loopResolutionMs });
  // Each value is the time between two ticks that are one resolution apart.
  const lateMs = (nanos: number) => Math.max(0, Math.round(nanos / 1e6 - limits.metrics.loopResolutionMs));
  return {
    name: "ProcessMetrics",
    created({ metrics }: ServiceBroker) {
      for (const gauge of Object.values(processGauges)) metrics.register({ type: "gauge", ...gauge });
      let since = { at: performance.now(), used: process.cpuUsage(), loop: performance.eventLoopUtilization() };
      loop.enable();
      const read = () => {
        const [at, used] = [performance.now(), process.cpuUsage(since.used)];
        const ms = at - since.at;
        if (ms > 0) metrics.set(processGauges.cpu.name, Math.round((used.user + used.system) / 10 / ms));
        metrics.set(processGauges.memory.name, process.memoryUsage.rss());
        metrics.set(processGauges.heap.name, process.memoryUsage().heapUsed);
        metrics.set(processGauges.uptime.name, Math.round(process.uptime()));
        // Without a value yet the percentile is 0, and the maximum too.
        metrics.set(processGauges.loopDelay.name, lateMs(loop.percentile(99)));
        metrics.set(processGauges.loopDelayMax.name, lateMs(loop.max));
        loop.reset();
        const busy = performance.eventLoopUtilization(since.loop).utilization;
        metrics.set(processGauges.loopBusy.name, Math.round(busy * 100));
        since = { at, used: process.cpuUsage(), loop: performance.eventLoopUtilization() };
      };
      read();
      timer = setInterval(read, limits.metrics.readEveryMs);
      timer.unref();
    },
    async stopped() {
      clearInterval(timer);
      loop.disable();
    },
  };
}
