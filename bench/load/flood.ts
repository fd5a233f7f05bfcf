import { percentile, sortedNumbers } from "../support/percentiles.ts";
import { giftRequests } from "./gift-requests.ts";
import { HttpConnection } from "./http-connection.ts";
import type { FloodJob, FloodReport } from "./jobs.ts";
import { Tally } from "./tally.ts";

/** Every connection sends its next request as soon as the last one is answered, until the time is over. */
export async function flood(job: FloodJob): Promise<FloodReport> {
  const { host, port, connections, senders, giftId, success, seconds } = job;
  const next = giftRequests(job, senders, giftId, job.apiKey);
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(host, port)));
  const tally = new Tally(success);
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    open.map(async (connection) => {
      try {
        for (let at = performance.now(); at < end; at = performance.now()) {
          tally.answered(await connection.ask(next()));
          times.push(performance.now() - at);
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
  return { ...tally.answers(), p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}
