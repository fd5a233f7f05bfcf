import { setTimeout as pause } from "node:timers/promises";
import { percentile, sortedNumbers } from "../support/percentiles.ts";
import { giftRequests } from "./gift-requests.ts";
import { HttpConnection } from "./http-connection.ts";
import type { SteadyJob, SteadyReport } from "./jobs.ts";
import type { Sightings } from "./sightings.ts";
import { Tally } from "./tally.ts";

/** A pool of connections: requests are sent in their order and wait for a free connection. */
class Connections {
  private readonly idle: HttpConnection[];
  private readonly queue: ((connection: HttpConnection) => void)[] = [];

  constructor(open: readonly HttpConnection[]) {
    this.idle = [...open];
  }

  take(): Promise<HttpConnection> {
    const connection = this.idle.pop();
    if (connection) return Promise.resolve(connection);
    return new Promise((resolve) => this.queue.push(resolve));
  }

  giveBack(connection: HttpConnection): void {
    const next = this.queue.shift();
    if (next) next(connection);
    else this.idle.push(connection);
  }
}

/** Sends at a steady rate, however long answers take, and then waits until the viewers have seen all gifts. */
export async function steady(job: SteadyJob, sightings: Sightings): Promise<SteadyReport> {
  const { host, port, connections, senders, giftId, success, seconds, perSecond, lostAfterMs } = job;
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(host, port)));
  const pool = new Connections(open);
  const next = giftRequests(job, senders, giftId);
  sightings.clear();
  const tally = new Tally(success);
  const send = async (n: number) => {
    const request = next();
    const connection = await pool.take();
    try {
      const reply = await connection.ask(request);
      const at = performance.now();
      pool.giveBack(connection);
      if (!tally.answered(reply)) return;
      const { orderId } = (JSON.parse(reply.body) as { data: { orderId: string } }).data;
      sightings.accepted(orderId, senders[n % senders.length]?.roomId as number, at);
    } catch (error) {
      tally.unanswered();
      process.stderr.write(`a connection broke: ${String(error)}\n`);
    }
  };
  const under = await offer(send, perSecond, seconds);
  await Promise.all(under);
  for (const deadline = performance.now() + lostAfterMs; performance.now() < deadline; )
    if (sightings.missing() === 0) break;
    else await pause(50);
  for (const connection of open) connection.close();
  const delays = sortedNumbers(sightings.delays());
  return {
    ...tally.answers(),
    p50Ms: percentile(delays, 0.5),
    p99Ms: percentile(delays, 0.99),
    p999Ms: percentile(delays, 0.999),
    samples: delays.length,
    lost: sightings.missing(),
  };
}

/** Starts due requests every ms; resolves to all of them once they are started. */
async function offer(send: (n: number) => Promise<void>, perSecond: number, seconds: number) {
  const under: Promise<void>[] = [];
  const startedAt = performance.now();
  for (const total = perSecond * seconds; under.length < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000));
    while (under.length < due) under.push(send(under.length));
    await pause(1);
  }
  return under;
}
