import { countCpu } from "../support/cpu.ts";
import type { ImBenchContext } from "./context.ts";
import { offer, type SendGifts } from "./offer.ts";
import { type LoadRun, latency, runOf, viewersOff } from "./received.ts";
import type { Viewers } from "./viewers.ts";

/** Rooms with viewers, and a way to send gifts there. */
export interface Audience {
  /** A name for progress messages. */
  name: string;
  rooms: readonly number[];
  /** Of each room. */
  viewersPerRoom: number;
  /** Their processes. */
  viewers: readonly Viewers[];
  send: SendGifts;
  /** The servers' process ids. */
  pids: Record<string, number>;
  /** Disconnects the viewers; frames on the way are dropped. */
  end(): Promise<void>;
}

export interface Pace {
  /** In all rooms together. */
  giftsPerSecond: number;
  seconds: number;
  senders: number;
  /** The time after the last gift from which on frames count as missing. */
  drainMs: number;
}

const pollMs = 50;
/** The length of a warm-up as a share of a run. */
const warmUpShare = 0.2;
const warmUpGiftsPerSecond = 20;

/** A short run at a low rate, so that servers and viewers have loaded and compiled their code. */
export function warmUp(context: ImBenchContext, audience: Audience, pace: Pace): Promise<LoadRun> {
  const giftsPerSecond = warmUpGiftsPerSecond * audience.rooms.length;
  const short = { ...pace, giftsPerSecond: Math.min(giftsPerSecond, 100), seconds: pace.seconds * warmUpShare };
  return measure(context, { ...audience, name: `${audience.name}, warming up` }, short);
}

/** Sends gifts at a rate, waits until every viewer has them or the time is over, and returns the figures. */
export async function measure({ progress }: ImBenchContext, audience: Audience, pace: Pace): Promise<LoadRun> {
  const { rooms, viewers, viewersPerRoom, send, pids, name } = audience;
  const { giftsPerSecond, seconds, senders, drainMs } = pace;
  await Promise.all(viewers.map((some) => some.begin()));
  const serversUsed = countCpu(pids);
  const viewersUsed = countCpu(Object.fromEntries(viewers.map(({ pid }) => [String(pid), pid])));
  const startedAt = Date.now();
  const offered = await offer(send, { rooms, perSecond: giftsPerSecond, seconds, senders });
  const cpuMicros = serversUsed();
  const viewersCpuMicros = Object.values(viewersUsed()).reduce((sum, micros) => sum + micros, 0);
  const expected = offered.gifts * viewersPerRoom;
  for (const until = performance.now() + drainMs; performance.now() < until; ) {
    const orders = await Promise.all(viewers.map((some) => some.orders()));
    if (orders.reduce((sum, some) => sum + some, 0) >= expected) break;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const all = await Promise.all(viewers.map((some) => some.report()));
  const about = { viewers: viewersPerRoom, giftsPerSecond, offered, startedAt, cpuMicros, viewersCpuMicros };
  const run = runOf(all, about);
  const faults = all.flatMap((one) => one.faults);
  if (faults.length > 0) progress(`${name}: ${faults.length} faults: ${faults.slice(0, 3).join("; ")}`);
  if (offered.refused > 0) progress(`${name}: ${offered.refused} gifts were refused`);
  if (!run.conserved) progress(`${name}: ${viewersOff(all, offered.sums)} viewers have not seen what was sent`);
  const { giftDeliveriesPerSecond, framesPerViewerPerSecond, bytesPerViewerPerSecond, p50Ms, p99Ms, arrived } = run;
  progress(
    `${name}, ${rooms.length} × ${viewersPerRoom} viewers, ${giftsPerSecond} gifts/s: ${giftDeliveriesPerSecond} gift ` +
      `deliveries/s, ${framesPerViewerPerSecond} frames/s and ${bytesPerViewerPerSecond} B/s a viewer, p50 ${p50Ms} ms, p99 ${p99Ms} ms, p99.9 ` +
      `${latency(all, 0.999)} ms, ${(arrived * 100).toFixed(2)} % arrived`,
  );
  return run;
}
