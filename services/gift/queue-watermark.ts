import { randomUUID } from "node:crypto";
import type { StreamInfo } from "nats";
import { outage } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { identityOf, isSameStream, type StreamIdentity, streamNames } from "../../mixins/jetstream/streams.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { giftStream } from "../streams.ts";
import { marker } from "./gift-group.ts";

/**
 * Tells when all gifts that JetStream stored before a time have left the queue. A message leaves it when its gifts are
 * settled, or dead letters, and not earlier (mixins/jetstream/batches.ts). So the question is which messages were stored
 * before the time, in each partition.
 *
 * A partition's leader gives its messages ascending sequences and, by its clock, times that do not fall. So if its last
 * message has sequence S and a time at or after the asked one, all messages that come later are not before that time.
 * Once every message up to S has left, all gifts before the time are settled. (S, time) is a mark. They are settled as
 * well once the oldest message that is left is not before the time.
 *
 * A partition whose last message is older proves nothing: its replicas may still be storing a gift that is not visible
 * and whose time is earlier. Then a marker is published there, a signed message without gifts, and the state that has it
 * makes the mark. In a replicated stream another server may become the leader. So there a marker is always published:
 * once the leader acks it, all messages of earlier leaders are stored before it. And the marks of such streams count from
 * `limits.gift.serverClockMarginMs` later, which is how far the servers' clocks may differ (decision 0059).
 *
 * A marker that is lost or stored twice does no harm. Nothing is kept on disk: a node that starts makes its own marks.
 */

/** What JetStream says of a partition. Times in ms since 1970, floored. */
export interface PartitionState {
  readonly identity: StreamIdentity;
  /** The sequence of the oldest message; where there is none, that of the next one. */
  readonly firstSequence: number;
  readonly firstMs: number;
  readonly lastSequence: number;
  readonly lastMs: number;
  readonly messages: number;
  readonly replicas: number;
}

interface Ports {
  readonly partitions: number;
  state(partition: number): Promise<PartitionState>;
  /** Resolves with the sequence of the marker once it is stored. */
  publishMarker(partition: number): Promise<number>;
  /** ms, of any origin. */
  now(): number;
}

interface Mark {
  readonly sequence: number;
  readonly beforeMs: number;
}

/** The marks of one partition. */
class PartitionMarks {
  private identity: StreamIdentity | undefined;
  private settledMs = Number.NEGATIVE_INFINITY;
  /** Those that are not settled, ascending. */
  private pending: Mark[] = [];
  markedAt = Number.NEGATIVE_INFINITY;

  isSettledBefore(ms: number): boolean {
    return this.settledMs >= ms;
  }

  isMarked(ms: number): boolean {
    return this.isSettledBefore(ms) || (this.pending.at(-1)?.beforeMs ?? Number.NEGATIVE_INFINITY) >= ms;
  }

  get isFull(): boolean {
    return this.pending.length >= limits.gift.queueMarks;
  }

  /**
   * Sequences of another stream of this name, or those that went back (a server that lost its newest messages), mean other
   * messages. What is settled stays settled.
   */
  saw(state: PartitionState): void {
    const { identity, firstSequence, lastSequence, firstMs, messages } = state;
    if (this.identity && !isSameStream(this.identity, identity)) this.pending = [];
    if ((this.pending.at(-1)?.sequence ?? 0) > lastSequence) this.pending = [];
    this.identity = identity;
    const left = this.pending.findIndex(({ sequence }) => sequence >= firstSequence);
    const gone = this.pending.splice(0, left === -1 ? this.pending.length : left);
    for (const { beforeMs } of gone) this.settledMs = Math.max(this.settledMs, beforeMs);
    if (messages > 0) this.settledMs = Math.max(this.settledMs, firstMs - marginMs(state));
  }

  mark(state: PartitionState): void {
    const beforeMs = state.lastMs - marginMs(state);
    if (!this.isMarked(beforeMs)) this.pending.push({ sequence: state.lastSequence, beforeMs });
    this.saw(state);
  }
}

function marginMs({ replicas }: PartitionState): number {
  return replicas > 1 ? limits.gift.serverClockMarginMs : 0;
}

export class QueueWatermark {
  private readonly ports: Ports;
  private readonly marks: readonly PartitionMarks[];
  /** Rounds run one after the other; those who ask during a round share the next one. */
  private running: Promise<unknown> = Promise.resolve();
  private next: { latestMs: number; readonly oldestMs: Promise<number | undefined> } | undefined;

  constructor(ports: Ports) {
    this.ports = ports;
    this.marks = Array.from({ length: ports.partitions }, () => new PartitionMarks());
  }

  /** See `gift.settledBefore`. `ms` since 1970. Rejects where JetStream cannot be asked. */
  async settledBefore(ms: number): Promise<{ settled: boolean; oldest: string | null }> {
    const isSettled = () => this.marks.every((own) => own.isSettledBefore(ms));
    const oldestMs = isSettled() ? undefined : await this.nextRound(ms);
    const settled = isSettled();
    return { settled, oldest: settled || oldestMs === undefined ? null : new Date(oldestMs).toISOString() };
  }

  private nextRound(ms: number): Promise<number | undefined> {
    if (this.next) {
      this.next.latestMs = Math.max(this.next.latestMs, ms);
      return this.next.oldestMs;
    }
    const oldestMs = this.running.then(() => {
      const { latestMs } = this.next as { latestMs: number };
      this.next = undefined;
      return this.round(latestMs);
    });
    this.next = { latestMs: ms, oldestMs };
    this.running = oldestMs.catch(() => {});
    return oldestMs;
  }

  /** Looks at every partition; resolves with the time of the oldest message. A mark for the latest time serves all. */
  private async round(latestMs: number): Promise<number | undefined> {
    const visits = await Promise.allSettled(this.marks.map((own, partition) => this.visit(partition, own, latestMs)));
    const states = visits.map((visit) => {
      if (visit.status === "rejected") throw visit.reason;
      return visit.value;
    });
    const oldest = states.filter(({ messages }) => messages > 0).map(({ firstMs }) => firstMs);
    return oldest.length === 0 ? undefined : Math.min(...oldest);
  }

  private async visit(partition: number, own: PartitionMarks, latestMs: number): Promise<PartitionState> {
    const state = await this.ports.state(partition);
    own.saw(state);
    if (own.isMarked(latestMs) || own.isFull) return state;
    if (state.replicas === 1 && state.lastMs >= latestMs) {
      own.mark(state);
      return state;
    }
    const now = this.ports.now();
    if (now - own.markedAt < limits.gift.markerEveryMs) return state;
    own.markedAt = now;
    const sequence = await this.ports.publishMarker(partition);
    const marked = await this.ports.state(partition);
    // Otherwise the stream was made again meanwhile, or a server answered that does not have the marker yet.
    if (isSameStream(marked.identity, state.identity) && marked.lastSequence >= sequence) own.mark(marked);
    return marked;
  }
}

function stateOf(info: StreamInfo): PartitionState {
  const { first_seq, first_ts, last_seq, last_ts, messages } = info.state as StreamInfo["state"] & Times;
  return {
    identity: identityOf(info),
    firstSequence: first_seq,
    firstMs: Date.parse(String(first_ts)),
    lastSequence: last_seq,
    lastMs: Date.parse(String(last_ts)),
    messages,
    replicas: info.config.num_replicas,
  };
}

/** The server writes them as text, whatever the client's types say. */
interface Times {
  readonly first_ts: unknown;
  readonly last_ts: unknown;
}

/** The watermark of the gift queue, by this service's connection. */
export function queueWatermark(service: JetStreamState & { readonly signatures: MessageSignatures }): QueueWatermark {
  const streams = streamNames(giftStream);
  return new QueueWatermark({
    partitions: streams.length,
    async state(partition) {
      const stream = streams[partition] as string;
      try {
        return stateOf(await service.jetstream.manager.streams.info(stream));
      } catch (error) {
        throw outage(error, { stream });
      }
    },
    async publishMarker(partition) {
      const subject = `gift.send.${partition}`;
      const id = randomUUID();
      const text = service.signatures.sign(subject, JSON.stringify({ ...marker, id }));
      return (await service.jetstream.publishText(subject, text, { msgId: `marker:${id}` })).seq;
    },
    now: () => performance.now(),
  });
}
