import type { ServiceBroker } from "moleculer";
import { type Count, countSeries, histogramSeries, type Observe, timeBucketsMs } from "../../broker/metric-series.ts";
import type { GiftAnswer } from "./gift.contract.ts";

const answers = {
  name: "ovation.gift.answers",
  description: "Gifts that were asked for, by the answer: accepted, or the name of the failure",
} as const;
const settled = {
  name: "ovation.gift.settled",
  description: "Gifts that this node settled, by their status; a gift that is delivered again counts again",
} as const;
const settleLag = {
  name: "ovation.gift.settle.lag",
  description: "From a gift's acceptance, by JetStream's clock, until it was settled, by the node's",
} as const;
const shownLag = {
  name: "ovation.gift.shown.lag",
  description: "From a gift's acceptance until its frame was passed to the im-servers",
} as const;

/** Beyond those of a request, since a queue may wait for minutes. */
const lagBucketsMs = [...timeBucketsMs, 10_000, 30_000, 60_000, 300_000];

interface Timed {
  readonly time: string;
}

/** The metrics of acceptance, settlement and effects on one node. */
export class GiftMetrics {
  private readonly broker: ServiceBroker;
  private readonly answersBy = new Map<string, Count>();
  private readonly settledBy: Readonly<Record<"succeeded" | "failed", Count>>;
  private readonly settleLag: Observe;
  private readonly shownLag: Observe;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
    broker.metrics.register({ type: "counter", ...answers, labelNames: ["outcome"] });
    broker.metrics.register({ type: "counter", ...settled, labelNames: ["status"] });
    for (const lag of [settleLag, shownLag])
      broker.metrics.register({ type: "histogram", ...lag, unit: "millisecond", buckets: lagBucketsMs } as never);
    const ofStatus = (status: string) => countSeries(broker, settled.name, { status });
    this.settledBy = { succeeded: ofStatus("succeeded"), failed: ofStatus("failed") };
    this.settleLag = histogramSeries(broker, settleLag.name, {});
    this.shownLag = histogramSeries(broker, shownLag.name, {});
    this.answersOf("accepted")(0);
  }

  /** The outcomes are the names of failures, so their number is bounded. */
  answered(all: readonly GiftAnswer[]): void {
    for (const answer of all) this.answersOf("failure" in answer ? answer.failure : "accepted")(1);
  }

  /** `acceptedMs`: the times of the gifts' messages in the queue. */
  settled(gifts: Readonly<Record<"succeeded" | "failed", number>>, acceptedMs: Iterable<number>): void {
    const now = Date.now();
    for (const ms of acceptedMs) this.settleLag(Math.max(0, now - ms));
    this.settledBy.succeeded(gifts.succeeded);
    this.settledBy.failed(gifts.failed);
  }

  /** The frames of these gifts were passed to the im-servers. */
  shown(gifts: readonly Timed[]): void {
    const now = Date.now();
    for (const { time } of gifts) this.shownLag(Math.max(0, now - Date.parse(time)));
  }

  private answersOf(outcome: string): Count {
    const count = this.answersBy.get(outcome) ?? countSeries(this.broker, answers.name, { outcome });
    this.answersBy.set(outcome, count);
    return count;
  }
}
