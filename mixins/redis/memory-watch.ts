import type { Redis } from "ioredis";
import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { Filling } from "../filling.ts";
import { Degraded } from "../health.mixin.ts";

const gauges = {
  used: { name: "ovation.redis.memory.bytes", description: "Memory that Redis uses", unit: "byte" },
  bound: {
    name: "ovation.redis.memory.bound",
    description: "The maxmemory at which it refuses writes; 0: none",
    unit: "byte",
  },
  ready: { name: "ovation.redis.ready", description: "1 while the service is connected to Redis, else 0" },
} as const;

/**
 * The bytes that Redis uses and may use, from the answer to INFO memory. `bound` 0: it has no maxmemory at which it
 * refuses; with a policy that evicts it is always full, and refuses nothing.
 */
export function readMemory(info: string): { used: number; bound: number } {
  const refuses = /^maxmemory_policy:noeviction\r?$/m.test(info);
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)\\r?$`, "m").exec(info)?.[1] ?? 0);
  return { used: field("used_memory"), bound: refuses ? field("maxmemory") : 0 };
}

/** Watches how much of its `maxmemory` Redis uses: at that bound it refuses every write. */
export class MemoryWatch {
  private readonly service: Service;
  private readonly redis: Redis;
  private readonly filling: Filling;
  private readonly timer: NodeJS.Timeout;
  private isRefused = false;

  constructor(service: Service, redis: Redis) {
    this.service = service;
    this.redis = redis;
    this.filling = new Filling(service.logger);
    for (const gauge of Object.values(gauges))
      service.broker.metrics.register({ type: "gauge", ...gauge, labelNames: ["service"] });
    this.timer = setInterval(() => void this.read(), limits.redis.memoryEveryMs);
    this.timer.unref();
  }

  /** @throws Error where Redis is nearly full, `Degraded` where it is filling */
  requireRoom(): void {
    const [full] = this.filling.nearlyFull();
    if (full !== undefined) throw new Error(full);
    const [filling] = this.filling.filling();
    if (filling !== undefined) throw new Degraded(filling);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Never rejects. That Redis is away is reported by the connection itself. */
  private async read(): Promise<void> {
    const isReady = this.redis.status === "ready" ? 1 : 0;
    this.service.broker.metrics.set(gauges.ready.name, isReady, { service: this.service.name });
    if (this.redis.status !== "ready") return;
    try {
      const { used, bound } = readMemory(await this.redis.info("memory"));
      const { metrics } = this.service.broker;
      metrics.set(gauges.used.name, used, { service: this.service.name });
      metrics.set(gauges.bound.name, bound, { service: this.service.name });
      const level = { share: used / bound, text: `${used} of ${bound} bytes` };
      this.filling.see("Redis", bound > 0 ? level : undefined);
      this.isRefused = false;
    } catch (err) {
      if (!this.isRefused)
        this.service.logger.warn({ err }, "the memory of Redis cannot be read: it is not known how full it is");
      this.isRefused = true;
    }
  }
}
