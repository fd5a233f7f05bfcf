import type { ConsumerInfo, StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import type { StreamDefinition } from "./definitions.ts";

/** Codes of the server's API for a publication that it has no room for: resources, storage, bounds of the stream. */
export const noRoomCodes: ReadonlySet<number> = new Set([10_023, 10_047, 10_077]);

interface Progress {
  readonly mark: number;
  readonly waiting: number;
  /** Since when messages wait and the mark stands still. */
  readonly since: number;
}

/** What is wrong with a service's streams and consumers, as it was last seen: for the health report. */
export class Conditions {
  private readonly now: () => number;
  private lastLook: number;
  private lookFailure = "";
  private readonly missing = new Map<string, string>();
  private readonly full = new Map<string, string>();
  private readonly refusals = new Map<string, { reason: string; at: number }>();
  private readonly progress = new Map<string, Progress>();
  private losses: { text: string; until: number }[] = [];

  constructor(now: () => number = Date.now) {
    this.now = now;
    this.lastLook = now();
  }

  /** Everything was looked at. */
  looked(): void {
    this.lastLook = this.now();
    this.lookFailure = "";
  }

  lookFailed(error: unknown): void {
    this.lookFailure = (error as Error).message;
  }

  isMissing(what: string, why = ""): void {
    this.missing.set(what, why);
  }

  isThere(what: string): void {
    this.missing.delete(what);
  }

  /** Whether a stream is at its bounds; `undefined` where there is room. */
  bounds(stream: string, reached: string | undefined): void {
    if (reached === undefined) this.full.delete(stream);
    else this.full.set(stream, reached);
  }

  /** A publication was refused for want of room. The server does not say when there is some again. */
  refused(stream: string, reason: string): void {
    this.refusals.set(stream, { reason, at: this.now() });
  }

  /** A publication was taken. */
  accepted(stream: string): void {
    if (this.refusals.size > 0) this.refusals.delete(stream);
  }

  /** How many messages wait for a consumer, or are in hand, and a number that moves with each that is done. */
  atWork(durable: string, waiting: number, mark: number): void {
    const before = this.progress.get(durable);
    const stands = waiting > 0 && before !== undefined && before.waiting > 0 && before.mark === mark;
    this.progress.set(durable, { mark, waiting, since: stands ? before.since : this.now() });
  }

  lost(text: string): void {
    this.losses.push({ text, until: this.now() + limits.jetstream.lossReportedMs });
  }

  /** Sentences for operators; none where all is well. */
  reasons(): string[] {
    const now = this.now();
    const seconds = (since: number) => Math.round((now - since) / 1_000);
    this.losses = this.losses.filter(({ until }) => until > now);
    for (const [stream, { at }] of this.refusals)
      if (now - at >= limits.jetstream.refusalReportedMs) this.refusals.delete(stream);
    const stuck = [...this.progress].filter(
      ([, { waiting, since }]) => waiting > 0 && now - since >= limits.jetstream.stuckMs,
    );
    return [
      ...(now - this.lastLook >= limits.jetstream.lookLateMs
        ? [`the streams were last seen ${seconds(this.lastLook)} s ago: ${this.lookFailure || "no answer"}`]
        : []),
      ...[...this.missing].map(([what, why]) => `${what} is missing${why && `: ${why}`}`),
      ...[...this.full].map(([stream, reached]) => `stream ${stream} is full: ${reached}`),
      ...[...this.refusals].map(([stream, { reason }]) => `stream ${stream} takes nothing: ${reason}`),
      ...stuck.map(
        ([durable, { waiting, since }]) => `${durable}: ${waiting} wait, none was done for ${seconds(since)} s`,
      ),
      ...this.losses.map(({ text }) => text),
    ];
  }
}

/**
 * A number that moves with each message that is done: of a queue what is gone from it; of a log how far its acks have come
 * in order, and how many are acked beyond that, since one message that is tried again and again holds the others' place.
 */
export function doneBy(
  kind: StreamDefinition["kind"],
  { state }: Pick<StreamInfo, "state">,
  { ack_floor, delivered, num_ack_pending }: Pick<ConsumerInfo, "ack_floor" | "delivered" | "num_ack_pending">,
): number {
  if (kind === "queue") return state.last_seq - state.messages;
  return ack_floor.stream_seq + (delivered.stream_seq - num_ack_pending);
}

/** Which bound a stream has reached beyond which it refuses what is published. */
export function boundReached({ config, state }: StreamInfo): string | undefined {
  if (config.discard !== "new") return undefined;
  if (config.max_msgs > 0 && state.messages >= config.max_msgs) return `it holds ${state.messages} messages`;
  if (config.max_bytes > 0 && state.bytes >= config.max_bytes) return `it holds ${state.bytes} bytes`;
  return undefined;
}
