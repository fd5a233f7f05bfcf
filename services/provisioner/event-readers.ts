import type { Service } from "moleculer";
import type { ConnectionOptions, JetStreamManager, NatsConnection } from "nats";
import { connectNats } from "../../broker/nats-connect.ts";
import { isOutdated } from "../../broker/releases.ts";
import { config, serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { addHealthCheck, Degraded } from "../../mixins/health.mixin.ts";
import { apiTimeoutMs } from "../../mixins/jetstream/definitions.ts";
import { type OtherServer, otherServerOf } from "../../mixins/jetstream/other-server.ts";
import { EventMirror } from "./event-mirror.ts";
import { ReaderRequests } from "./reader-requests.ts";

const gauges = {
  behind: {
    name: "ovation.events.mirror.behind",
    description: "Events that the mirror for other systems does not have yet, as of the last look",
  },
  consumers: {
    name: "ovation.events.mirror.consumers",
    description: "Durable consumers of other systems",
  },
  broken: {
    name: "ovation.events.mirror.broken",
    description: "1 while other systems do not get the events, or cannot make consumers; 0 otherwise",
  },
} as const;

/** The work for other systems that read EVENTS, with a connection to their account. */
export class EventReaders {
  private readonly service: Service;
  private readonly source: JetStreamManager;
  private readonly options: Record<"mirror" | "readers", ConnectionOptions>;
  private readonly loop: BackgroundLoop;
  private readonly connections: NatsConnection[] = [];
  private requests: ReaderRequests | undefined;
  private mirror: EventMirror | undefined;
  private otherServer: OtherServer | undefined;
  private problem: string | undefined;

  /**
   * Keeps the mirror and answers readers' requests until `stop`. It connects by itself, again and again: a server whose
   * configuration has no such account must not keep the provisioner from its work for the services. Health is then
   * degraded. `source` has the rights of the provisioner; `options` are those of its users in the mirror's and in the
   * readers' account.
   */
  constructor(service: Service, source: JetStreamManager, options: Record<"mirror" | "readers", ConnectionOptions>) {
    this.service = service;
    this.source = source;
    this.options = options;
    const { metrics } = service.broker;
    for (const gauge of Object.values(gauges)) metrics.register({ type: "gauge", ...gauge, labelNames: ["service"] });
    addHealthCheck(service, "events", async () => {
      if (this.problem !== undefined) throw new Degraded(this.problem);
    });
    this.loop = new BackgroundLoop({
      name: "mirror of EVENTS for other systems",
      idleMs: limits.jetstream.lookEveryMs,
      errorBackoffMs: limits.jetstream.lookRarelyMs,
      log: service.logger,
      round: async () => {
        await this.look().finally(() => this.tell());
        return false;
      },
    });
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.requests?.stop();
    await Promise.all(this.connections.map((one) => one.drain()));
  }

  private async look(): Promise<void> {
    try {
      const mirror = await this.opened();
      await (this.otherServer?.watch("the mirror", () => mirror.look()) ?? mirror.look());
    } catch (error) {
      this.problem = `other systems cannot read EVENTS: ${(error as Error).message}`;
      throw error;
    }
    this.problem = this.mirror?.state.problem;
  }

  private async opened(): Promise<EventMirror> {
    if (this.mirror) return this.mirror;
    const connection = await this.connected(this.options.mirror);
    try {
      const { name, logger } = this.service;
      this.otherServer = otherServerOf(connection, serviceUrl("NATS_URL", name), logger);
      const manager = await connection.jetstreamManager({ timeout: apiTimeoutMs() });
      const readers = await this.connected(this.options.readers);
      this.requests = new ReaderRequests(readers, connection, config().NAMESPACE, this.service.logger);
      this.mirror = new EventMirror(this.source, manager, this.service.logger, {
        nats: connection,
        mayChange: () => !isOutdated(this.service.broker),
      });
    } catch (error) {
      await Promise.all(this.connections.splice(0).map((one) => one.close()));
      throw error;
    }
    return this.mirror;
  }

  private async connected(options: ConnectionOptions): Promise<NatsConnection> {
    const connection = await connectNats(options);
    this.connections.push(connection);
    return connection;
  }

  private tell(): void {
    const { broker, name: service } = this.service;
    broker.metrics.set(gauges.behind.name, this.mirror?.state.behind ?? 0, { service });
    broker.metrics.set(gauges.consumers.name, this.mirror?.state.consumers ?? 0, { service });
    broker.metrics.set(gauges.broken.name, this.problem === undefined ? 0 : 1, { service });
  }
}
