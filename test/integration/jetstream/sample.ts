import type { Service, ServiceBroker } from "moleculer";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import {
  type ChannelMessage,
  type JetStreamState,
  jetstreamMixin,
  type StreamDefinition,
} from "../../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../../mixins/mysql.mixin.ts";
import { type OutboxState, outboxMixin } from "../../../mixins/outbox.mixin.ts";
import { redisMixin } from "../../../mixins/redis.mixin.ts";
import { redisLockMixin } from "../../../mixins/redis-lock.mixin.ts";
import { defineService } from "../../../services/define-service.ts";
import { notificationActions } from "../../../services/notification/notification.contract.ts";

export const jobs: StreamDefinition = {
  ...{ name: "JOBS", subjects: ["job.*"], kind: "queue", partitions: 2, maxMessages: 2_000 },
};
export const news: StreamDefinition = { name: "NEWS", subjects: ["news.>"], kind: "log" };

export interface Sample extends MysqlState, JetStreamState, OutboxState {}

/** What the two channels of the sample handled, and what holds their handlers up. */
export class Handled {
  readonly jobs: string[] = [];
  readonly news: string[] = [];
  private gate: Promise<void> = Promise.resolve();
  /** Lets the handlers go on. */
  release: () => void = () => {};

  /** From now on handlers wait before they note anything. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    this.release = () => {
      this.gate = Promise.resolve();
      resolve();
    };
  }

  async note(list: string[], messages: readonly ChannelMessage[]): Promise<void> {
    await this.gate;
    for (const { data } of messages) list.push((data as { id: string }).id);
  }
}

/** A service with a queue in two partitions, a log, an outbox and a database. */
export function sampleService(handled: Handled) {
  return defineService<"notification", Sample>({
    name: "notification",
    contract: notificationActions,
    mixins: [
      mysqlMixin("sample", ["mixins/jetstream/migrations", "mixins/outbox/migrations"]),
      redisMixin,
      redisLockMixin,
      jetstreamMixin([jobs, news]),
      outboxMixin,
      healthMixin,
    ],
    actions: { sendLoginCode: { handler: () => ({ shownToCaller: false }) } },
    channels: {
      jobs: {
        ...{ stream: jobs, durable: "jobs-reader", batch: 50, batchesInFlight: 2 },
        handler: (messages: ChannelMessage[]) => handled.note(handled.jobs, messages),
      },
      news: {
        ...{ stream: news, subject: "news.local", durable: "news-reader", batch: 20, batchesInFlight: 1 },
        handler: (messages: ChannelMessage[]) => handled.note(handled.news, messages),
      },
    },
  });
}

export function sampleOn(node: ServiceBroker): Service & Sample {
  return node.getLocalService("notification") as unknown as Service & Sample;
}

/** What the sample's streams lack, as its node reports it; `true` where nothing is wrong. */
export async function streamHealth(node: ServiceBroker): Promise<HealthReport[string] | undefined> {
  return (await node.call<HealthReport, object>("notification.health", {}, { nodeID: node.nodeID })).jetstream;
}
