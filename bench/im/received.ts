import { rounded } from "../support/percentiles.ts";
import type { Offered } from "./offer.ts";

/** Latencies below this are counted by the millisecond; longer ones count as this, ms. */
export const latenciesMs = 30_000;

/** What the viewers of one process have received since `begin`. */
export interface Received {
  frames: number;
  /** Of the messages with gifts, on the wire. */
  bytes: number;
  /** Orders received by all viewers together. */
  orders: number;
  /** The room of each viewer. */
  rooms: number[];
  /** For each viewer, the sum of the counts of distinct orders. */
  sums: number[];
  /** Orders that arrived in two frames, and lost connections. */
  faults: string[];
  /** The number of orders by milliseconds from send to receipt. */
  latencies: Uint32Array;
  /** When the last frame arrived, ms since 1970; 0 where none did. */
  lastAt: number;
}

/** The result of one rate in rooms of one size. */
export interface LoadRun {
  /** In each room. */
  viewers: number;
  /** In all rooms together. */
  giftsPerSecond: number;
  framesPerViewerPerSecond: number;
  /** Frames a second to all viewers together. */
  deliveriesPerSecond: number;
  /** Gifts a second to all viewers together, until the last one arrived. */
  giftDeliveriesPerSecond: number;
  bytesPerSecond: number;
  /** Of messages with gifts, with the heads of their WebSocket frames. */
  bytesPerViewerPerSecond: number;
  /** From send to receipt, of the gifts that arrived. */
  p50Ms: number;
  p99Ms: number;
  /** Percent of one core while gifts were sent, by process; the viewers are part of the load generator. */
  serverCpu: Record<string, number>;
  viewersCpu: number;
  /** The share of all deliveries that arrived within the time limit; 1 where nothing is missing. */
  arrived: number;
  /** Whether every viewer's sum over distinct orders equals what was sent to its room. */
  conserved: boolean;
}

export function noneReceived(rooms: number[]): Received {
  const sums = new Array<number>(rooms.length).fill(0);
  const latencies = new Uint32Array(latenciesMs + 1);
  return { frames: 0, bytes: 0, orders: 0, rooms, sums, faults: [], latencies, lastAt: 0 };
}

const total = (all: readonly Received[], of: (one: Received) => number) => all.reduce((sum, one) => sum + of(one), 0);

/** The percentile of the latency, ms; NaN where no order was received. */
export function latency(all: readonly Pick<Received, "orders" | "latencies">[], share: number): number {
  const orders = all.reduce((sum, one) => sum + one.orders, 0);
  const rank = Math.max(1, Math.ceil(orders * share));
  let below = 0;
  for (let ms = 0; ms <= latenciesMs; ms++) {
    for (const { latencies } of all) below += latencies[ms] as number;
    if (below >= rank) return ms;
  }
  return Number.NaN;
}

/** The viewers whose sum differs from what was sent to their room. */
export function viewersOff(
  all: readonly Pick<Received, "rooms" | "sums">[],
  sent: ReadonlyMap<number, number>,
): number {
  const off = ({ rooms, sums }: Pick<Received, "rooms" | "sums">) =>
    sums.filter((sum, viewer) => sum !== sent.get(rooms[viewer] as number)).length;
  return all.reduce((sum, one) => sum + off(one), 0);
}

export interface RunFacts {
  /** In each room. */
  viewers: number;
  giftsPerSecond: number;
  offered: Offered;
  /** When the first gift was sent, ms since 1970. */
  startedAt: number;
  /** CPU while gifts were sent, µs, by process. */
  cpuMicros: Record<string, number>;
  viewersCpuMicros: number;
}

/** The figures of a run. Rates are over the time until the last frame arrived, however late. */
export function runOf(all: readonly Received[], about: RunFacts): LoadRun {
  const { viewers, giftsPerSecond, offered, startedAt, cpuMicros, viewersCpuMicros } = about;
  const lastAt = Math.max(...all.map((one) => one.lastAt));
  const seconds = Math.max(offered.seconds, (lastAt - startedAt) / 1_000);
  const connected = total(all, ({ rooms }) => rooms.length);
  const frames = total(all, (one) => one.frames);
  const orders = total(all, (one) => one.orders);
  const bytes = total(all, (one) => one.bytes);
  const percent = (micros: number) => rounded(micros / offered.seconds / 10_000, 0);
  const faults = total(all, (one) => one.faults.length);
  // Each viewer sees the gifts of its room, and all rooms have the same number of viewers.
  const expected = (offered.gifts * connected) / offered.sums.size;
  return {
    viewers,
    giftsPerSecond,
    framesPerViewerPerSecond: rounded(frames / connected / seconds, 2),
    deliveriesPerSecond: rounded(frames / seconds, 0),
    giftDeliveriesPerSecond: rounded(orders / seconds, 0),
    bytesPerSecond: rounded(bytes / seconds, 0),
    bytesPerViewerPerSecond: rounded(bytes / connected / seconds, 0),
    p50Ms: latency(all, 0.5),
    p99Ms: latency(all, 0.99),
    serverCpu: Object.fromEntries(Object.entries(cpuMicros).map(([name, micros]) => [name, percent(micros)])),
    viewersCpu: percent(viewersCpuMicros),
    arrived: Math.min(orders === expected ? 1 : 0.9999, rounded(orders / expected, 4)),
    conserved: viewersOff(all, offered.sums) === 0 && faults === 0 && offered.refused === 0,
  };
}

/** A rate is sustained where everything arrives, 99 of 100 gifts within this time, at this share of the rate. */
const sustained = { p99Ms: 1_000, share: 0.9 };

/** Whether the server keeps up with this rate. If it does not, the last frames arrive long after their gifts. */
export function keepsUp({ conserved, p99Ms, viewers, giftsPerSecond, giftDeliveriesPerSecond }: LoadRun): boolean {
  const inTime = giftDeliveriesPerSecond >= viewers * giftsPerSecond * sustained.share;
  return conserved && inTime && p99Ms <= sustained.p99Ms;
}

/** The ratio of the gift deliveries a second; `undefined` where one side sustained no rate. */
export function ratioOf(own: LoadRun | undefined, other: LoadRun | undefined): number | undefined {
  if (!own || !other) return undefined;
  return rounded(own.giftDeliveriesPerSecond / other.giftDeliveriesPerSecond, 1);
}
