import { countCpu } from "../support/cpu.ts";
import type { ImBenchContext } from "./context.ts";
import { startServices } from "./processes.ts";
import { type GiftSource, openGiftSource } from "./room.ts";
import { latenciesMs, type Received, Viewers } from "./viewers.ts";

export interface FanoutRun {
  viewers: number;
  giftsPerSecond: number;
  framesPerViewerPerSecond: number;
  deliveriesPerSecond: number;
  giftDeliveriesPerSecond: number;
  bytesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Percent of one core, by process. */
  serverCpu: Record<string, number>;
  /** Whether every viewer's sum over distinct order ids is what was sent. */
  conserved: boolean;
}

const rates = [10, 100, 1_000];
const arriveMs = 15_000;
const round = (value: number, digits = 0) => Number(value.toFixed(digits));

/** The latency below which a share of the orders lies, ms. */
function latency(all: readonly Received[], share: number): number {
  const total = all.reduce((sum, { orders }) => sum + orders, 0);
  let below = 0;
  for (let ms = 0; ms < latenciesMs; ms++) {
    for (const { latencies } of all) below += latencies[ms] as number;
    if (below >= total * share) return ms;
  }
  return latenciesMs;
}

async function reports(viewers: readonly Viewers[]): Promise<Received[]> {
  return Promise.all(viewers.map((some) => some.report()));
}

async function measure(
  { progress }: ImBenchContext,
  source: GiftSource,
  viewers: readonly Viewers[],
  about: { roomId: number; viewers: number; giftsPerSecond: number; seconds: number; pids: Record<string, number> },
): Promise<FanoutRun> {
  const { roomId, giftsPerSecond, seconds, pids } = about;
  await Promise.all(viewers.map((some) => some.begin()));
  const cpuUsed = countCpu(pids);
  const startedAt = performance.now();
  const { sum } = await source.send(roomId, giftsPerSecond, seconds);
  const tookS = (performance.now() - startedAt) / 1_000;
  const cpu = cpuUsed();
  let all = await reports(viewers);
  const complete = () => all.every(({ sums }) => sums.every((one) => one === sum));
  for (const until = performance.now() + arriveMs; !complete() && performance.now() < until; )
    all = await new Promise((resolve) => setTimeout(() => resolve(reports(viewers)), 200));
  const faults = all.flatMap((one) => one.faults);
  if (faults.length > 0) progress(`faults: ${faults.slice(0, 3).join("; ")}`);
  const total = (of: (one: Received) => number) => all.reduce((added, one) => added + of(one), 0);
  const run: FanoutRun = {
    viewers: about.viewers,
    giftsPerSecond,
    framesPerViewerPerSecond: round(total(({ frames }) => frames) / about.viewers / tookS, 2),
    deliveriesPerSecond: round(total(({ frames }) => frames) / tookS),
    giftDeliveriesPerSecond: round(total(({ orders }) => orders) / tookS),
    bytesPerSecond: round(total(({ bytes }) => bytes) / tookS),
    p50Ms: latency(all, 0.5),
    p99Ms: latency(all, 0.99),
    serverCpu: Object.fromEntries(Object.entries(cpu).map(([name, micros]) => [name, round(micros / tookS / 10_000)])),
    conserved: complete() && faults.length === 0,
  };
  progress(JSON.stringify(run));
  return run;
}

/** One room of 500 and of 5000 viewers on one im-server, with 10, 100 and 1000 gifts a second in it. */
export async function run(context: ImBenchContext) {
  const router = await startServices(context, "im-router", ["im-router"]);
  const server = await startServices(context, "im-server", ["im-server"]);
  const source = await openGiftSource(context);
  const runs: FanoutRun[] = [];
  let users = 1_000;
  for (const [at, size] of (context.quick ? [500] : [500, 5_000]).entries()) {
    const roomId = at + 1;
    const viewers = new Viewers(context, `viewers-${size}`);
    context.progress(`connecting ${size} viewers`);
    await viewers.connect(await source.addresses(roomId, users, size));
    users += size;
    const pids = { imServer: server, imRouter: router };
    for (const giftsPerSecond of rates) {
      const seconds = context.quick ? 3 : 10;
      runs.push(await measure(context, source, [viewers], { roomId, viewers: size, giftsPerSecond, seconds, pids }));
    }
  }
  return { runs, conserved: runs.every(({ conserved }) => conserved) };
}
