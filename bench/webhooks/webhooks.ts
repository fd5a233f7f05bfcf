import { setTimeout as pause } from "node:timers/promises";
import { serviceNames } from "../../broker/service-names.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { durableEvent } from "../../services/durable-event.ts";
import { eventStream } from "../../services/streams.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import { DurableQueue } from "../support/durable-queue.ts";
import { JobProcess } from "../support/job-process.ts";
import { residentMb, watchMemory } from "../support/memory.ts";
import { type BenchProcess, startServices } from "../support/nodes.ts";
import { percentile, rounded, sortedNumbers } from "../support/percentiles.ts";
import type { ReceiversJob, ReceiversReport } from "./receivers-process.ts";
import { deliveryProblems, subscribe, untilHeldBy } from "./subscriptions.ts";

const service = "webhook";
/** An event that nobody but webhooks listens to. */
const event = "webhook.disabled";
const usualWebhooks = 100;
const usualRate = 500;
const usualSeconds = 60;
const warmUpSeconds = 5;
/** A node that was killed holds its webhooks for ten seconds, and its consumer for as long. */
const answeredDeadlineMs = 120_000;
const settings = { WEBHOOK_PRIVATE_ADDRESSES: "allow" };

/** Publishes events at a steady rate, as services do. */
class Events {
  private readonly queue: DurableQueue;
  private readonly perSecond: number;
  published = 0;

  constructor(queue: DurableQueue, perSecond: number) {
    this.queue = queue;
    this.perSecond = perSecond;
  }

  async publishFor(seconds: number): Promise<void> {
    const begunAt = performance.now();
    const count = Math.max(1, Math.round(this.perSecond * seconds));
    for (let n = 0; n < count; n++) {
      await pause(Math.max(0, begunAt + (n * 1_000) / this.perSecond - performance.now()));
      await this.publish();
    }
  }

  private async publish(): Promise<void> {
    const time = new Date().toISOString();
    const data = { webhookId: "1", reason: "failing", failingSince: time, time } as const;
    const { subject, msgId, payload } = durableEvent(event, `bench-${++this.published}`, data);
    await this.queue.fill([{ subject, id: msgId, text: JSON.stringify(payload) }], () => {});
  }
}

/**
 * Webhooks of which half have receivers that accept every call and answer none, under events at a steady rate: when the
 * deliveries of the others are answered, and what the webhook node takes. Then a second node takes its share, and the
 * first one is killed in the middle of as much load.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, servers, profile } = context;
  const { connections: webhooks = usualWebhooks, rates = [usualRate], seconds = usualSeconds } = context;
  const perSecond = rates[0] as number;
  const hanging = Math.floor(webhooks / 2);
  const answering = webhooks - hanging;
  const receivers = JobProcess.start(closing, "bench/webhooks/receivers-process.ts");
  const ask = (job: ReceiversJob) => receivers.do<ReceiversReport>(job);
  const { urls } = await ask({ kind: "listen", count: webhooks });

  progress("starting every service");
  const others = serviceNames.filter((name) => name !== service);
  const start = (label: string, names: readonly string[], file?: string) =>
    startServices(context, label, names, file, settings);
  const [system, first] = await Promise.all([start("services", others), start("webhook-1", [service], profile)]);
  process.env.API_URL = `http://127.0.0.1:${system.about.ports?.["api-gateway"]}`;
  const queue = await DurableQueue.open(eventStream, closing);
  progress(`making ${webhooks} webhooks`);
  const ids = await subscribe(urls, event);
  await untilHeldBy(1, webhooks);
  const events = new Events(queue, perSecond / webhooks);
  /** How many deliveries are to be answered so far. */
  let expected = 0;
  const untilAnswered = () =>
    becomesTrue(async () => (await ask({ kind: "progress" })).answered >= expected, answeredDeadlineMs, 50);
  const publishFor = async (forSeconds: number, answered: number) => {
    const before = events.published;
    await events.publishFor(forSeconds);
    expected += (events.published - before) * answered;
  };
  progress("events, all answered, as warm-up");
  await publishFor(Math.min(seconds, warmUpSeconds), webhooks);
  const warmUp = events.published;
  await untilAnswered();
  await ask({ kind: "take" });

  await ask({ kind: "hang", from: answering });
  progress(`${hanging} receivers hang; ${perSecond} deliveries a second for ${seconds} s`);
  const memory = memoryOf(first);
  const cpuSince = countCpu({ services: system.pid, webhook: first.pid, receivers: receivers.pid, ...servers.pids });
  await publishFor(seconds, answering);
  await untilAnswered();
  const cpu = cpuSince();
  const steady = await ask({ kind: "take" });
  const steadyMemory = memory();
  const steadyFigures = figuresOf(steady, expected);
  progress(JSON.stringify(steadyFigures));

  progress("a second node takes its share; the first one is killed in the middle");
  const second = await start("webhook-2", [service]);
  await untilHeldBy(2, webhooks);
  await publishFor(seconds / 2, answering);
  process.kill(first.pid, "SIGKILL");
  await publishFor(seconds / 2, answering);
  await untilAnswered();
  await queue.untilRead(eventStream, "webhook-events");
  const killed = await ask({ kind: "take" });
  const killedFigures = figuresOf(killed, expected);
  progress(JSON.stringify(killedFigures));
  await Promise.all([first.stop(), second.stop(), system.stop()]);

  progress("checking all deliveries");
  const problems = await deliveryProblems(ids, { answering, warmUp, events: events.published });
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  const perDelivery = (micros: number) => rounded(micros / Math.max(1, steady.lagsMs.length), 1);
  return {
    ...{ webhooks, hanging, deliveriesPerSecond: perSecond, seconds, events: events.published },
    ...steadyFigures,
    memoryMb: steadyMemory,
    cpuMicrosPerDeliveryBy: Object.fromEntries(Object.entries(cpu).map(([name, used]) => [name, perDelivery(used)])),
    killed: killedFigures,
    conserved: problems.length === 0 && killed.answered === expected,
  };
}

/** Of the deliveries to receivers that answer, since the last figures; `lost`: of all so far. */
function figuresOf({ lagsMs, doubled, hung, answered }: ReceiversReport, expected: number) {
  const lags = sortedNumbers(lagsMs);
  const seconds = (share: number) => rounded(percentile(lags, share) / 1_000, 3);
  return {
    ...{ answered: lags.length, p50Seconds: seconds(0.5), p99Seconds: seconds(0.99), maxSeconds: seconds(1) },
    ...{ lost: expected - answered, doubled, hungCalls: hung },
  };
}

/** Starts watching the resident memory of a node, MB. */
function memoryOf({ pid }: BenchProcess): () => { before: number; most: number; after: number } {
  const before = residentMb(pid);
  const watched = watchMemory({ node: pid });
  return () => {
    const { node: most = 0 } = watched();
    return { before, most, after: residentMb(pid) };
  };
}
