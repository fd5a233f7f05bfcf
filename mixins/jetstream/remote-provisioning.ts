import { setTimeout as pause } from "node:timers/promises";
import { isUnavailable } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { WantedStream } from "./definitions.ts";
import type { ConsumerRequest, Provisioning } from "./provisioning.ts";
import type { StreamIdentity } from "./streams.ts";

/** Calls an action of the provisioner; rejects as Moleculer does. */
export type AskProvisioner = (action: string, params: Record<string, unknown>) => Promise<unknown>;

/** A stream's name without the namespace's prefix, as the provisioner knows it. */
const plainName = (stream: string) => stream.slice(natsPrefix().length);

/** Asks the service `provisioner`, which knows the definitions and who may have what. */
export class RemoteProvisioning implements Provisioning {
  private readonly ask: AskProvisioner;
  private readonly log: Log;
  private readonly stopping = new AbortController();
  /** Work that waits for a provisioner, however long that takes. */
  private patient = 0;
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(ask: AskProvisioner, log: Log) {
    this.ask = ask;
    this.log = log;
  }

  /** While `work` runs, a provisioner that is away is waited for: a service starts with all that it needs. */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    this.patient++;
    try {
      return await work();
    } finally {
      this.patient--;
    }
  }

  /** Ends the waiting: what waits rejects. */
  stop(): void {
    this.stopping.abort(new Error("the service stops"));
  }

  async makeStream({ name }: WantedStream, again: boolean): Promise<void> {
    await this.request("makeStream", { stream: plainName(name), again });
  }

  /** The provisioner does it at its own start, for every stream. */
  async bringStreamToSettings(): Promise<void> {}

  async makeConsumer({ consumer, name, stream, start }: ConsumerRequest): Promise<void> {
    const begin = start !== "first" && "since" in start ? { since: start.since.toISOString() } : start;
    const { durable } = consumer;
    await this.request("makeConsumer", {
      stream: plainName(consumer.stream),
      durable,
      name,
      seen: stream,
      start: begin,
    });
  }

  /** The provisioner does it at its own start, for every consumer of the system's services. */
  async bringConsumerToSettings(): Promise<void> {}

  async markLoss(stream: string, seen: StreamIdentity): Promise<void> {
    await this.request("markLoss", { stream: plainName(stream), seen });
  }

  private async request(action: string, params: Record<string, unknown>): Promise<void> {
    for (;;) {
      this.stopping.signal.throwIfAborted();
      try {
        await this.ask(`provisioner.${action}`, params);
        return;
      } catch (error) {
        if (this.patient === 0 || !isUnavailable(error)) throw error;
        this.tell(action, params, error);
      }
      await pause(limits.jetstream.provisionerRetryMs, undefined, { signal: this.stopping.signal });
    }
  }

  private tell(action: string, { stream, durable }: Record<string, unknown>, error: unknown): void {
    const now = performance.now();
    if (now - this.toldAt < limits.jetstream.provisionerToldMs) return;
    this.toldAt = now;
    const about = { action, stream, durable, cause: messageOf(error) };
    this.log.warn(about, "the start waits for a provisioner node, which alone may make streams and consumers");
  }
}
