import { rounded } from "../support/percentiles.ts";
import type { Offered } from "./offer.ts";

/** Latencies below this are told apart, by the millisecond; longer ones count as this. */
export const latenciesMs = 30_000;

/** What viewers in one process have received since they were told to begin. */
export interface Received {
  frames: number;
  bytes: number;
  /** Orders received, over all viewers. */
  orders: number;
  /** The room of each viewer. */
  rooms: number[];
  /** The counts of distinct orders that each viewer has received, added up. */
  sums: number[];
  /** Where an order came in two frames, or a viewer lost its connection. */
  faults: string[];
  /** How many orders took so many milliseconds from send to receipt. */
  latencies: Uint32Array;
  /** When the last frame came, ms since 1970; 0 where none did. */
  lastAt: number;
}

/** One rate in rooms of one size. */
export interface LoadRun {
  /** In each room. */
  viewers: number;
  /** In all rooms together. */
  giftsPerSecond: number;
  framesPerViewerPerSecond: number;
  /** Frames a second, over all viewers. */
  deliveriesPerSecond: number;
  /** Gifts a second, over all viewers, until the last one was there. */
  giftDeliveriesPerSecond: number;
  bytesPerSecond: number;
  /** From send to receipt, of the gifts that arrived. */
  p50Ms: number;
  p99Ms: number;
  /** Percent of one core while gifts were sent, by process; the viewers' is the load's own. */
  serverCpu: Record<string, number>;
  viewersCpu: number;
  /** The share of what was sent that every viewer together received within the time limit; 1 where nothing is missing. */
  arrived: number;
  /** Whether every viewer's sum over distinct order ids is what was sent to its room. */
  conserved: boolean;
}

export function noneReceived(rooms: number[]): Received {
  const sums = new Array<number>(rooms.length).fill(0);
  const latencies = new Uint32Array(latenciesMs + 1);
  return { frames: 0, bytes: 0, orders: 0, rooms, sums, faults: [], latencies, lastAt: 0 };
}

const total = (all: readonly Received[], of: (one: Received) => number) => all.reduce((sum, one) => sum + of(one), 0);

/** The latency below or at which a share of the received orders lies, ms; NaN where there are none. */
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

/** The viewers whose sum is not what was sent to their room. */
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

/** The figures of a run. Rates are over the time until the last frame was there, however late that was. */
export function runOf(all: readonly Received[], about: RunFacts): LoadRun {
  const { viewers, giftsPerSecond, offered, startedAt, cpuMicros, viewersCpuMicros } = about;
  const lastAt = Math.max(...all.map((one) => one.lastAt));
  const seconds = Math.max(offered.seconds, (lastAt - startedAt) / 1_000);
  const connected = total(all, ({ rooms }) => rooms.length);
  const frames = total(all, (one) => one.frames);
  const orders = total(all, (one) => one.orders);
  const percent = (micros: number) => rounded(micros / offered.seconds / 10_000, 0);
  const faults = total(all, (one) => one.faults.length);
  // Each viewer is to see the gifts of its room, and rooms have equally many viewers.
  const expected = (offered.gifts * connected) / offered.sums.size;
  return {
    viewers,
    giftsPerSecond,
    framesPerViewerPerSecond: rounded(frames / connected / seconds, 2),
    deliveriesPerSecond: rounded(frames / seconds, 0),
    giftDeliveriesPerSecond: rounded(orders / seconds, 0),
    bytesPerSecond: rounded(total(all, ({ bytes }) => bytes) / seconds, 0),
    p50Ms: latency(all, 0.5),
    p99Ms: latency(all, 0.99),
    serverCpu: Object.fromEntries(Object.entries(cpuMicros).map(([name, micros]) => [name, percent(micros)])),
    viewersCpu: percent(viewersCpuMicros),
    arrived: Math.min(orders === expected ? 1 : 0.9999, rounded(orders / expected, 4)),
    conserved: viewersOff(all, offered.sums) === 0 && faults === 0 && offered.refused === 0,
  };
}

/** A rate is sustained where everything arrives, 99 of 100 gifts within this, and so much of the rate all the time. */
const sustained = { p99Ms: 1_000, share: 0.9 };

/** Whether the server can go on at this rate: of one that cannot, the last frames come long after their gifts. */
export function keepsUp({ conserved, p99Ms, viewers, giftsPerSecond, giftDeliveriesPerSecond }: LoadRun): boolean {
  const inTime = giftDeliveriesPerSecond >= viewers * giftsPerSecond * sustained.share;
  return conserved && inTime && p99Ms <= sustained.p99Ms;
}

/** How many times the gift deliveries a second; `undefined` where one of them sustained nothing. */
export function ratioOf(own: LoadRun | undefined, other: LoadRun | undefined): number | undefined {
  if (!own || !other) return undefined;
  return rounded(own.giftDeliveriesPerSecond / other.giftDeliveriesPerSecond, 1);
}
