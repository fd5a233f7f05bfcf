import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy, type JetStreamManager, type NatsConnection, RetentionPolicy, type StreamInfo } from "nats";
import { sumOf } from "../../scripts/backup/backup-file.ts";
import type { Manifest, StreamPart } from "../../scripts/backup/manifest.ts";
import { snapshotToFile } from "../../scripts/backup/stream-snapshot.ts";
import type { RestoreState } from "../../scripts/restore/restore-state.ts";
import { restoreStreams } from "../../scripts/restore/restore-streams.ts";

const always: Pick<RestoreState, "of" | "step"> = { of: async () => "none", step: async (_step, work) => work(false) };

/** A queue that is backed up and restored while it is in use. */
export class QueueInUse {
  private readonly nats: NatsConnection;
  private readonly manager: JetStreamManager;
  private readonly folder: string;
  readonly name: string;

  private constructor(nats: NatsConnection, manager: JetStreamManager, folder: string, name: string) {
    [this.nats, this.manager, this.folder, this.name] = [nats, manager, folder, name];
  }

  static async make(
    { nats, folder, name }: { nats: NatsConnection; folder: string; name: string },
    replicas: number,
  ): Promise<QueueInUse> {
    const manager = await nats.jetstreamManager();
    const queue = new QueueInUse(nats, manager, folder, name);
    const retention = RetentionPolicy.Workqueue;
    await manager.streams.add({ name, subjects: [queue.subject], retention, num_replicas: replicas });
    return queue;
  }

  private get subject(): string {
    return `${this.name.toLowerCase()}.a`;
  }

  info(): Promise<StreamInfo> {
    return this.manager.streams.info(this.name);
  }

  private addReader(): Promise<unknown> {
    const about = { durable_name: "reader", ack_policy: AckPolicy.Explicit, max_ack_pending: 10_000 };
    return this.manager.consumers.add(this.name, about);
  }

  /** Loses it while it is in use, and restores it from a snapshot of that time; with a new reader, as a node makes it. */
  async loseAndRestore(): Promise<void> {
    await this.addReader();
    const part = await this.inTraffic(() => this.snapshot());
    await this.bringBack(part);
    expect((await this.info()).state.last_seq).toBeGreaterThanOrEqual(part.state.last_seq);
    await this.addReader();
  }

  /** Sends so many messages and reads all that is there, these among them. */
  async expectRead(count: number): Promise<void> {
    const sent: number[] = [];
    for (let n = 0; n < count; n++) sent.push(await this.publish());
    expect(await this.readAll()).toEqual(expect.arrayContaining(sent));
  }

  /** Resolves with the sequence. */
  private async publish(): Promise<number> {
    return (await this.nats.jetstream().publish(this.subject, randomBytes(300))).seq;
  }

  /** Does something while eight flows publish, and the reader acks nine of ten messages. */
  private async inTraffic<T>(work: () => Promise<T>): Promise<T> {
    let isOn = true;
    const enough = Promise.withResolvers<void>();
    const flow = async () => {
      for (let sent = 0; isOn; sent++) {
        await this.publish();
        if (sent === 40) enough.resolve();
      }
    };
    const flows = Promise.all(Array.from({ length: 8 }, flow));
    const messages = await (await this.reader()).consume({ max_messages: 200 });
    const reading = (async () => {
      for await (const message of messages) if (message.seq % 10 > 0) message.ack();
    })();
    try {
      await Promise.race([enough.promise, flows]);
      return await work();
    } finally {
      isOn = false;
      await flows;
      messages.stop();
      await reading;
    }
  }

  private reader() {
    return this.nats.jetstream().consumers.get(this.name, "reader");
  }

  /** Reads and acks what there is; returns the sequences. */
  private async readAll(): Promise<number[]> {
    const reader = await this.reader();
    const sequences: number[] = [];
    for (;;) {
      const { num_pending } = await reader.info();
      if (num_pending === 0) return sequences;
      for await (const message of await reader.fetch({ max_messages: num_pending, expires: 5_000 })) {
        sequences.push(message.seq);
        message.ack();
      }
    }
  }

  private async snapshot(): Promise<StreamPart> {
    const { created } = await this.info();
    const file = `${this.name}.stream`;
    const path = join(this.folder, file);
    rmSync(path, { force: true });
    const about = await snapshotToFile(this.nats, this.name, path);
    return { stream: this.name, created, ...about, consumers: [], ...(await sumOf(path)) } as StreamPart;
  }

  /** Deletes it, and restores it as `npm run restore` does. */
  private async bringBack(part: StreamPart): Promise<void> {
    await this.manager.streams.delete(this.name);
    await restoreStreams(always as RestoreState, {
      ...{ folder: this.folder, nats: this.nats, databases: [], keepStreams: false, progress: () => {} },
      manifest: { streams: [part] } as unknown as Manifest,
    });
  }
}
