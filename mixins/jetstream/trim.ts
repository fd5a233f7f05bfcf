import type { ConsumerInfo, JetStreamManager, StreamInfo } from "nats";
import type { Log } from "../../broker/log.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import { type ConsumerDefinition, isNameOf, lettersOf, partsOf, type StreamDefinition } from "./definitions.ts";
import { findStream } from "./streams.ts";

/**
 * Makes room in logs that refuse at their bound, before they are full. What is removed has done its work, or may be
 * forged; no unread order and no proven dead letter is ever removed before its age. Of dead letters whose key is
 * unknown, which may be genuine, the oldest are removed last of all, and loudly.
 */

/** Up to where all consumers of a stream had read at a time, ms. */
interface ReadAt {
  readonly at: number;
  readonly upTo: number;
}

/**
 * The sequence up to which all consumers have read; 0 where there is none, or where one of these durables has none: it
 * is about to be made again, and has not read what waits for it. A consumer with a filter for which nothing is pending
 * has read the whole stream, whatever its last ack was. `stream` was read before the consumers.
 */
export function readByAll(
  { state }: Pick<StreamInfo, "state">,
  consumers: readonly Pick<ConsumerInfo, "name" | "ack_floor" | "num_pending" | "num_ack_pending">[],
  durables: readonly string[],
): number {
  const isThere = (durable: string) => consumers.some(({ name }) => isNameOf(durable, name));
  if (consumers.length === 0 || !durables.every(isThere)) return 0;
  return Math.min(
    ...consumers.map(({ num_pending, num_ack_pending, ack_floor }) =>
      num_pending + num_ack_pending === 0 ? state.last_seq : ack_floor.stream_seq,
    ),
  );
}

/** The used share of a stream's bytes; 0 without a bound. */
export function usedShare({ config, state }: Pick<StreamInfo, "config" | "state">): number {
  return config.max_bytes > 0 ? state.bytes / config.max_bytes : 0;
}

/** The consumers that a stream is to have; `stream` is the server's name of it. */
type Readers = readonly Pick<ConsumerDefinition, "stream" | "durable">[];

export class Trim {
  private readonly manager: JetStreamManager;
  private readonly log: Log;
  private readonly readers: Readers;
  private readonly leavesNewest: number;
  private readonly now: () => number;
  /** By stream and creation, oldest first. */
  private readonly read = new Map<string, ReadAt[]>();

  constructor(
    manager: JetStreamManager,
    log: Log,
    readers: Readers,
    { leavesNewest = limits.jetstream.trimLeavesNewest as number, now = Date.now } = {},
  ) {
    this.manager = manager;
    this.log = log;
    this.readers = readers;
    this.leavesNewest = leavesNewest;
    this.now = now;
  }

  /**
   * Trims the stream if half of its bytes are used. Call it every few seconds. A node without the right to purge the
   * stream cannot; then another one does it. Never rejects.
   */
  async look(trims: StreamDefinition["trims"], info: StreamInfo): Promise<void> {
    const key = `${info.config.name} ${info.created}`;
    try {
      if (trims === undefined || usedShare(info) < limits.jetstream.trimFrom) this.read.delete(key);
      else if (trims === "read") await this.trimRead(key, info);
      else await this.trimUnproven(info);
    } catch (error) {
      const about = { err: error, stream: info.config.name };
      this.log.warn(about, "a stream that is filling could not be trimmed: it is tried again, here and on other nodes");
    }
  }

  /**
   * Removes what all consumers had read `trimReadForMs` ago, but for the newest messages. By then the readers have
   * stored their positions, or a reader would take what it has read for lost. One that ended before it could store its
   * position is behind by less than the newest messages.
   */
  private async trimRead(key: string, info: StreamInfo): Promise<void> {
    const consumers: ConsumerInfo[] = [];
    for await (const consumer of this.manager.consumers.list(info.config.name)) consumers.push(consumer);
    const durables = this.readers.filter(({ stream }) => stream === info.config.name).map(({ durable }) => durable);
    const readings = [...(this.read.get(key) ?? []), { at: this.now(), upTo: readByAll(info, consumers, durables) }];
    const old = readings.filter(({ at }) => this.now() - at >= limits.jetstream.trimReadForMs);
    this.read.set(key, readings.slice(Math.max(0, old.length - 1)));
    const upTo = Math.min(old.at(-1)?.upTo ?? 0, info.state.last_seq - this.leavesNewest);
    if (upTo < info.state.first_seq) return;
    const { purged } = await this.manager.streams.purge(info.config.name, { seq: upTo + 1 });
    this.log.info(
      { stream: info.config.name, removed: purged, upTo },
      "a stream was trimmed: its oldest messages are read",
    );
  }

  private async trimUnproven({ config: { name } }: StreamInfo): Promise<void> {
    for (const keep of limits.jetstream.unprovenKept) {
      const { purged } = await this.manager.streams.purge(name, { filter: natsPrefix() + lettersOf("unproven"), keep });
      if (purged > 0)
        this.log.error(
          { stream: name, removed: purged, kept: keep },
          "the dead letters are filling: the oldest that may be forged were removed, to keep room for those of money",
        );
      if (usedShare(await this.manager.streams.info(name)) < limits.jetstream.trimFrom) return;
    }
    await this.trimUnknownKeys(name);
  }

  /** As few as make room: each may be a genuine order of money. */
  private async trimUnknownKeys(name: string): Promise<void> {
    const filter = natsPrefix() + lettersOf("unknownKey");
    for (;;) {
      const info = await this.manager.streams.info(name, { subjects_filter: filter });
      const count = Object.values(info.state.subjects ?? {}).reduce((sum, one) => sum + one, 0);
      if (count === 0 || usedShare(info) < limits.jetstream.trimUnknownKeyFrom) return;
      const keep = Math.floor(count * (1 - limits.jetstream.unknownKeyStep));
      const { purged } = await this.manager.streams.purge(name, { filter, keep });
      this.log.error(
        { stream: name, removed: purged, kept: keep },
        "money may be lost: the dead letters are nearly full, and the oldest with an unknown key were removed",
      );
      if (purged === 0) return;
    }
  }
}

/**
 * Trims the streams whose definition says so, every few seconds until the loop is stopped. It needs the right to purge
 * them. Several nodes may do it at once. `readers`: the consumers that they are to have. While
 * `trims` is false, nothing is trimmed: a later release may have consumers that are not among them.
 */
export function keepTrimmed(
  manager: JetStreamManager,
  definitions: readonly StreamDefinition[],
  readers: Readers,
  log: Log,
  trims: () => boolean = () => true,
): BackgroundLoop {
  const trim = new Trim(manager, log, readers);
  const streams = definitions.flatMap(partsOf).filter(({ trims }) => trims !== undefined);
  return new BackgroundLoop({
    name: "trimming of streams",
    idleMs: limits.jetstream.lookRarelyMs,
    errorBackoffMs: limits.jetstream.lookRarelyMs,
    log,
    round: async () => {
      for (const { name, trims: what } of trims() ? streams : []) {
        const info = await findStream(manager, natsPrefix() + name);
        if (info) await trim.look(what, info);
      }
      return false;
    },
  });
}
