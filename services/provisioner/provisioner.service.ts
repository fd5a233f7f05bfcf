import { setTimeout as pause } from "node:timers/promises";
import type { Context, Service, ServiceBroker } from "moleculer";
import type { JetStreamManager, NatsConnection } from "nats";
import { membersOf } from "../../broker/bus/roles.ts";
import { roleOfNode } from "../../broker/bus/subjects.ts";
import { fail, outage } from "../../broker/failure.ts";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions, readersOptions } from "../../broker/nats-options.ts";
import { isOutage } from "../../broker/outages.ts";
import { isOutdated, releasesOnBus } from "../../broker/releases.ts";
import { serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import { addHealthCheck, healthMixin } from "../../mixins/health.mixin.ts";
import { DeadLetters } from "../../mixins/jetstream/dead-letters.ts";
import { streamConfig } from "../../mixins/jetstream/definitions.ts";
import { otherServerOf } from "../../mixins/jetstream/other-server.ts";
import { Provisioner } from "../../mixins/jetstream/provisioner.ts";
import { openManager, untilLed } from "../../mixins/jetstream/start-patience.ts";
import { keepTrimmed } from "../../mixins/jetstream/trim.ts";
import { defineService } from "../define-service.ts";
import { allStreams } from "../stream-access.ts";
import { keepAgreed } from "./agreement.ts";
import { deadLetterActions } from "./dead-letters.ts";
import { EventReaders } from "./event-readers.ts";
import { bringToSettings } from "./present-settings.ts";
import { consumerFor, consumesQueue, everyConsumer, streamFor } from "./provisioned.ts";
import { provisionerActions } from "./provisioner.contract.ts";
import { keepQueueGauges } from "./queue-gauges.ts";

interface State {
  connection: NatsConnection;
  manager: JetStreamManager;
  provisioner: Provisioner;
  dead: DeadLetters;
  trimming?: BackgroundLoop;
  queueGauges?: BackgroundLoop;
  eventReaders?: EventReaders;
  agreement?: BackgroundLoop | undefined;
}

/** Ends the background work. */
async function stopWork({ trimming, queueGauges, eventReaders, agreement }: Partial<State>): Promise<void> {
  await Promise.all([trimming, queueGauges, eventReaders, agreement].map((work) => work?.stop()));
}

type Ctx = Pick<Context, "nodeID" | "requestID">;

/** The services of the calling node; its id is bound to its login (broker/bus/). */
const callersOf = ({ nodeID }: Ctx) => membersOf(roleOfNode(nodeID ?? "")) ?? new Set<string>();

/** What this release does not know may belong to a later one, whose provisioner the caller is to ask. */
function refused(
  { logger, broker }: Pick<Service, "logger" | "broker">,
  { nodeID, requestID }: Ctx,
  about: Record<string, unknown>,
): Error {
  if (isOutdated(broker)) return fail("unavailable", { ...about, cause: "this provisioner is of an earlier release" });
  logger.error({ ...about, caller: nodeID, requestId: requestID }, "a service asked for what is not its own");
  return fail("callerRefused", about);
}

async function carryOut(work: () => Promise<void>, about: Record<string, unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    throw isOutage(error) ? outage(error, about) : error;
  });
}

/** Until another node has answered this one's first question who is there, or nobody is. */
async function othersHeard(broker: ServiceBroker): Promise<void> {
  for (let waited = 0; waited < limits.jetstream.othersHeardMs; waited += limits.jetstream.othersHeardEveryMs) {
    if (releasesOnBus(broker).length > 1) return;
    await pause(limits.jetstream.othersHeardEveryMs);
  }
}

/**
 * Makes and changes streams and consumers for the services that may have them, trims streams that fill, keeps the
 * mirror of EVENTS that other systems read, and reads, puts back and removes dead letters for staff. Its login alone has
 * the right to. While a node of a later release is on the bus, it leaves settings and trimming to the provisioner of
 * that release, which knows all consumers.
 */
export default defineService<"provisioner", State>({
  name: "provisioner",
  contract: provisionerActions,
  mixins: [healthMixin],

  actions: {
    makeStream: {
      async handler(ctx) {
        const { stream, again } = ctx.params;
        const part = streamFor(callersOf(ctx), stream);
        if (!part) throw refused(this, ctx, { stream });
        this.logger.info({ stream, again, caller: ctx.nodeID }, "a stream is made");
        await carryOut(() => this.provisioner.makeStream(streamConfig(part), again), { stream });
      },
    },
    makeConsumer: {
      async handler(ctx) {
        const { stream, durable, name, seen, start } = ctx.params;
        const consumer = consumerFor(callersOf(ctx), { stream, durable, name, mark: seen.mark });
        if (!consumer) throw refused(this, ctx, { stream, durable, name });
        const from = start !== "first" && "since" in start ? { since: new Date(start.since) } : start;
        this.logger.info({ stream, consumer: name, start, caller: ctx.nodeID }, "a consumer is made");
        const request = { consumer, name, stream: seen, start: from };
        await carryOut(() => this.provisioner.makeConsumer(request), { stream, name });
      },
    },
    markLoss: {
      async handler(ctx) {
        const { stream, seen } = ctx.params;
        const part = streamFor(callersOf(ctx), stream);
        if (!part || !consumesQueue(callersOf(ctx), stream)) throw refused(this, ctx, { stream });
        this.logger.warn({ stream, caller: ctx.nodeID }, "a queue that lost messages is marked");
        await carryOut(() => this.provisioner.markLoss(streamConfig(part).name, seen), { stream });
      },
    },
    ...deadLetterActions,
  },

  async started() {
    const [name, url] = [`${this.broker.nodeID}-${this.name}`, serviceUrl("NATS_URL", this.name)];
    this.connection = await connectNats(natsOptions(name, url));
    try {
      this.manager = await openManager(this.connection);
      const otherServer = otherServerOf(this.connection, url, this.logger);
      this.provisioner = new Provisioner(this.manager, this.connection, otherServer);
      this.dead = await untilLed(() => DeadLetters.open(this.connection));
      const mayChange = () => !isOutdated(this.broker);
      this.trimming = keepTrimmed(this.manager, allStreams, everyConsumer(), this.logger, mayChange);
      this.queueGauges = keepQueueGauges(this, this.manager, otherServer);
      await othersHeard(this.broker);
      const problems = isOutdated(this.broker)
        ? []
        : await untilLed(() => bringToSettings(this.manager, this.provisioner, this.logger));
      const forReaders = readersOptions(`${name}-readers`, url);
      if (forReaders) this.eventReaders = new EventReaders(this, this.manager, forReaders);
      this.agreement = keepAgreed(this, this.provisioner, mayChange);
      addHealthCheck(this, "nats", () => this.connection.flush());
      addHealthCheck(this, "settings", async () => {
        if (problems.length > 0) throw new Error(problems.join("; "));
      });
    } catch (error) {
      await stopWork(this);
      await this.connection.close();
      throw error;
    }
  },

  async stopped() {
    await stopWork(this);
    await this.connection?.drain();
  },
});
