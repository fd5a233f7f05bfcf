import type { FigureName, Figures } from "./capacity-figures.ts";

/** From figures of one node to a system of a size: cores, memory, network, database, money, and what breaks first. Pure. */

export interface Target {
  /** Connections at once. */
  readonly online: number;
  /** Users who press at once, each one gift. */
  readonly senders: number;
  /** Within how many seconds all of these are to be accepted, settled and seen. */
  readonly burstSeconds: number;
  /** Gifts a second over the day's peak hours. */
  readonly steadyGifts: number;
  /** Gifts a day. */
  readonly giftsPerDay: number;
  /** Share of the online viewers whose rooms are busy, i.e. get a frame in each tick. */
  readonly busyShare: number;
  /** The share of a core, a network or a store that is planned for; the rest is reserve. */
  readonly usable: number;
  /** How many times as much a gift costs MySQL in books of this size as in small ones (bench scale). */
  readonly booksFactor: number;
  /** How many times a core is as fast as one of the machine that was measured. */
  readonly coreSpeed: number;
  readonly coresPerMachine: number;
  readonly machineGb: number;
  readonly machineGbitPerSecond: number;
  /** The most cores that one primary of MySQL uses well: one redo log takes all commits. */
  readonly mysqlCores: number;
  /** Memory of the machine with MySQL's primary; three quarters of it are buffer pool. */
  readonly mysqlGb: number;
  /** The most cores that one nats-server uses well. */
  readonly natsCores: number;
  readonly connectionsPerNode: number;
  /** Of a core for an hour, in any currency. */
  readonly corePrice: number;
}

export const usualTarget: Target = Object.freeze({
  online: 500_000,
  senders: 100_000,
  burstSeconds: 10,
  steadyGifts: 2_000,
  giftsPerDay: 50_000_000,
  busyShare: 0.2,
  usable: 0.6,
  booksFactor: 1.5,
  coreSpeed: 1,
  coresPerMachine: 16,
  machineGb: 64,
  machineGbitPerSecond: 10,
  mysqlCores: 16,
  mysqlGb: 256,
  natsCores: 4,
  connectionsPerNode: 20_000,
  corePrice: 0.04,
});

/** A resource that cannot be multiplied by starting more of it. */
export interface Limit {
  readonly name: string;
  /** How much of it the target needs, 1 is all. */
  readonly used: number;
  /** Gifts a second at which it is all used. */
  readonly giftsPerSecond: number;
  readonly then: string;
}

export interface Capacity {
  /** Gifts a second that the target needs at its peak. */
  readonly peakGifts: number;
  /** Whole processes, a core each. */
  readonly nodes: { readonly services: number; readonly imServers: number };
  readonly cores: Readonly<Record<"services" | "imServers" | "nats" | "redis" | "mysql", number>>;
  readonly totalCores: number;
  readonly memoryGb: { readonly imServers: number; readonly services: number };
  readonly networkGbitPerSecond: number;
  readonly database: {
    readonly statementsPerSecond: number;
    readonly gigabytesPerDay: number;
    readonly gigabytesPerYear: number;
    /** For how many days of gifts the books fit into the buffer pool: beyond it each gift reads from the disk. */
    readonly daysInMemory: number;
  };
  readonly machines: number;
  readonly cpuSecondsPerMillion: number;
  readonly costPerMillion: number;
  /** Of the im-servers for an hour with everybody online. */
  readonly costPerOnlineHour: number;
  /** Seconds until the clients of one lost im-server are back at the others. */
  readonly reconnectSeconds: number;
  /** The most used one first. */
  readonly limits: readonly Limit[];
}

const second = 1e6;
const bufferPoolShare = 0.75;

/** How many cores some work needs, with the reserve. */
const coresFor = (microsPerSecond: number, { usable, coreSpeed }: Target) =>
  microsPerSecond / second / usable / coreSpeed;

/** @throws RangeError where a number of the target is not above 0 */
export function capacityOf(figures: Figures, target: Target): Capacity {
  for (const [name, value] of Object.entries(target))
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`${name} must be above 0`);
  const of = (name: FigureName) => figures[name].value;
  const peakGifts = Math.max(target.senders / target.burstSeconds, target.steadyGifts);
  const mysqlMicros = of("mysqlMicros") * target.booksFactor;
  const busy = target.online * target.busyShare;
  const framesPerSecond = busy * of("framesPerViewerPerSecond");
  const imMicros = target.online * of("idleMicros") + framesPerSecond * of("frameMicros");
  const cores = {
    services: coresFor(peakGifts * of("servicesMicros"), target),
    imServers: coresFor(imMicros, target),
    nats: coresFor(peakGifts * of("natsMicros"), target),
    redis: coresFor(peakGifts * of("redisMicros"), target),
    mysql: coresFor(peakGifts * mysqlMicros, target),
  };
  const nodes = {
    services: Math.ceil(cores.services),
    imServers: Math.max(Math.ceil(cores.imServers), Math.ceil(target.online / target.connectionsPerNode)),
  };
  const totalCores =
    nodes.services + nodes.imServers + Math.ceil(cores.nats) + Math.ceil(cores.redis) + Math.ceil(cores.mysql);
  const memoryGb = {
    imServers: (target.online * of("connectionBytes") + nodes.imServers * of("nodeMb") * 1e6) / 1e9,
    services: (nodes.services * of("nodeMb")) / 1e3,
  };
  const networkGbitPerSecond = (busy * of("bytesPerViewerPerSecond") * 8) / 1e9;
  const perDay = (target.giftsPerDay * of("storedBytesPerGift")) / 1e9;
  const giftMicros = of("servicesMicros") + of("natsMicros") + of("redisMicros") + mysqlMicros;
  const cpuSecondsPerMillion = giftMicros / target.coreSpeed;
  const machines = Math.max(
    Math.ceil(totalCores / target.coresPerMachine),
    Math.ceil((memoryGb.imServers + memoryGb.services) / (target.machineGb * target.usable)),
    Math.ceil(networkGbitPerSecond / (target.machineGbitPerSecond * target.usable)),
  );
  const perNode = target.online / nodes.imServers;
  return {
    ...{ peakGifts, nodes, cores, totalCores, memoryGb, networkGbitPerSecond, machines, cpuSecondsPerMillion },
    database: {
      statementsPerSecond: peakGifts * of("statementsPerGift"),
      gigabytesPerDay: perDay,
      gigabytesPerYear: perDay * 365,
      daysInMemory: (target.mysqlGb * bufferPoolShare) / perDay,
    },
    costPerMillion: (cpuSecondsPerMillion / target.usable / 3_600) * target.corePrice,
    costPerOnlineHour: nodes.imServers * target.corePrice,
    reconnectSeconds: perNode / (of("connectsPerSecond") * Math.max(1, nodes.imServers - 1)),
    limits: limitsOf(cores, peakGifts, target),
  };
}

function limitsOf(cores: Capacity["cores"], peakGifts: number, { mysqlCores, natsCores }: Target): Limit[] {
  const limit = (name: string, used: number, then: string): Limit => ({
    ...{ name, used, giftsPerSecond: Math.floor(peakGifts / used), then },
  });
  return [
    limit("Redis, which has one thread", cores.redis, "a Redis of its own for each of gateways, rooms and locks"),
    limit(
      "MySQL's primary",
      cores.mysql / mysqlCores,
      "a server of its own for wallet and for gift, then users by bucket",
    ),
    limit(
      "nats-server",
      cores.nats / natsCores,
      "three servers: the partitions of GIFTS have their leaders on all of them",
    ),
  ].toSorted((a, b) => b.used - a.used);
}
