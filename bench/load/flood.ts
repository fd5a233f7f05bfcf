import { percentile, sortedNumbers } from "../support/percentiles.ts";
import { giftRequests } from "./gift-requests.ts";
import { HttpConnection } from "./http-connection.ts";
import type { FloodJob, FloodReport } from "./jobs.ts";
import { orderIn } from "./outcome.ts";
import { Tally } from "./tally.ts";

/** Every connection sends its next request as soon as the last one is answered, until the time is over. */
export async function flood(job: FloodJob): Promise<FloodReport> {
  const { host, port, connections, senders, giftId, success, seconds, slowMs = Number.POSITIVE_INFINITY } = job;
  const next = giftRequests(job, senders, giftId, job.apiKey);
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(host, port)));
  const tally = new Tally(success);
  const times: number[] = [];
  const slow: { orderId: string | undefined; ms: number }[] = [];
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    open.map(async (connection) => {
      try {
        for (let at = performance.now(); at < end; at = performance.now()) {
          const reply = await connection.ask(next());
          tally.answered(reply);
          const ms = performance.now() - at;
          times.push(ms);
          if (ms > slowMs) slow.push({ orderId: orderIn(reply), ms });
        }
      } catch (error) {
        tally.unanswered();
        process.stderr.write(`a connection broke: ${String(error)}\n`);
      } finally {
        connection.close();
      }
    }),
  );
  const sorted = sortedNumbers(times);
  const percentiles = { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
  return { ...tally.answers(), ...percentiles, ...(job.slowMs !== undefined && { slow, timesMs: sorted }) };
}
