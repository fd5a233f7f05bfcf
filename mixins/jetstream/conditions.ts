import { type ConsumerInfo, ErrorCode, type StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import type { Level } from "../filling.ts";
import type { StreamDefinition } from "./definitions.ts";

/** Error codes of the server for a publication without room: resources, storage, bounds of the stream. */
export const noRoomCodes: ReadonlySet<number> = new Set([10_023, 10_047, 10_077]);

interface Progress {
  readonly mark: number;
  readonly waiting: number;
  /** The time since which messages wait and the mark is unchanged. */
  readonly since: number;
}

/** The problems of a service's streams and consumers, as of the last check, for the health report. */
export class Conditions {
  private readonly now: () => number;
  /** Told whether JetStream has answered a check of everything; other failures of one say nothing of that. */
  private readonly answered: (isAnswered: boolean) => void;
  private lastCheck: number;
  private checkFailure = "";
  private readonly missing = new Map<string, string>();
  private readonly full = new Map<string, string>();
  private readonly refusals = new Map<string, { reason: string; at: number }>();
  private readonly progress = new Map<string, Progress>();
  private readonly forbidden = new Map<string, number>();
  private losses: { text: string; until: number }[] = [];

  constructor(now: () => number = Date.now, answered: Conditions["answered"] = () => {}) {
    this.now = now;
    this.answered = answered;
    this.lastCheck = now();
  }

  /** All streams and consumers were checked. */
  looked(): void {
    this.lastCheck = this.now();
    this.checkFailure = "";
    this.answered(true);
  }

  lookFailed(error: unknown): void {
    this.checkFailure = (error as Error).message;
    if ((error as { code?: unknown } | null)?.code === ErrorCode.Timeout) this.answered(false);
  }

  /** While it is made, the reason why it could not be made last time stays. */
  isMissing(what: string, why = this.missing.get(what) ?? ""): void {
    this.missing.set(what, why);
  }

  isThere(what: string): void {
    this.missing.delete(what);
  }

  /** Sets whether a stream is at its bounds; `undefined`: it has room. */
  bounds(stream: string, reached: string | undefined): void {
    if (reached === undefined) this.full.delete(stream);
    else this.full.set(stream, reached);
  }

  /** A publication was refused for lack of room. The server does not report when there is room again. */
  refused(stream: string, reason: string): void {
    this.refusals.set(stream, { reason, at: this.now() });
  }

  /** The server did not let the service's login do something. Returns whether that is new, for the log. */
  notAllowed(operation: string, subject: string): boolean {
    const what = `${operation} of ${subject}`;
    const [now, before] = [this.now(), this.forbidden.get(what)];
    if (before === undefined && this.forbidden.size >= limits.jetstream.refusalsKept) return false;
    const isNew = before === undefined || now - before >= limits.jetstream.refusalReportedMs;
    if (isNew) this.forbidden.set(what, now);
    return isNew;
  }

  /** A publication was accepted. */
  accepted(stream: string): void {
    if (this.refusals.size > 0) this.refusals.delete(stream);
  }

  /**
   * Sets how many messages wait for a consumer or are in progress, and a number that changes with each handled message.
   */
  atWork(durable: string, waiting: number, mark: number): void {
    const before = this.progress.get(durable);
    const stands = waiting > 0 && before !== undefined && before.waiting > 0 && before.mark === mark;
    this.progress.set(durable, { mark, waiting, since: stands ? before.since : this.now() });
  }

  lost(text: string): void {
    this.losses.push({ text, until: this.now() + limits.jetstream.lossReportedMs });
  }

  /** The problems, one sentence each; empty where there is none. `spared`: a stream that may be full. */
  reasons(spared?: string): string[] {
    const now = this.now();
    const seconds = (since: number) => Math.round((now - since) / 1_000);
    this.losses = this.losses.filter(({ until }) => until > now);
    for (const [stream, { at }] of this.refusals)
      if (now - at >= limits.jetstream.refusalReportedMs) this.refusals.delete(stream);
    for (const [what, at] of this.forbidden)
      if (now - at >= limits.jetstream.refusalReportedMs) this.forbidden.delete(what);
    const stuck = [...this.progress].filter(
      ([, { waiting, since }]) => waiting > 0 && now - since >= limits.jetstream.stuckMs,
    );
    return [
      ...(now - this.lastCheck >= limits.jetstream.lookLateMs
        ? [`the streams were last checked ${seconds(this.lastCheck)} s ago: ${this.checkFailure || "no answer"}`]
        : []),
      ...[...this.missing].map(([what, why]) => `${what} is missing${why && `: ${why}`}`),
      ...[...this.full].flatMap(([stream, reached]) =>
        stream === spared ? [] : [`stream ${stream} is full: ${reached}`],
      ),
      ...[...this.refusals].map(([stream, { reason }]) => `stream ${stream} refuses messages: ${reason}`),
      ...[...this.forbidden.keys()].map((what) => `its login at NATS is refused the ${what}`),
      ...stuck.map(
        ([durable, { waiting, since }]) => `${durable}: ${waiting} wait, none was handled for ${seconds(since)} s`,
      ),
      ...this.losses.map(({ text }) => text),
    ];
  }
}

/**
 * A number that changes with each handled message. For a queue: how many messages have left it. For a log: its ack
 * floor plus the number of acks beyond it, since one message that is retried holds the ack floor back.
 */
export function doneBy(
  kind: StreamDefinition["kind"],
  { state }: Pick<StreamInfo, "state">,
  { ack_floor, delivered, num_ack_pending }: Pick<ConsumerInfo, "ack_floor" | "delivered" | "num_ack_pending">,
): number {
  if (kind === "queue") return state.last_seq - state.messages;
  return ack_floor.stream_seq + (delivered.stream_seq - num_ack_pending);
}

/** The bound at which a stream refuses publications, if it has reached one. */
export function boundReached({ config, state }: StreamInfo): string | undefined {
  if (config.discard !== "new") return undefined;
  if (config.max_msgs > 0 && state.messages >= config.max_msgs) return `it holds ${state.messages} messages`;
  if (config.max_bytes > 0 && state.bytes >= config.max_bytes) return `it holds ${state.bytes} bytes`;
  return undefined;
}

/**
 * How full a stream is that refuses at its bounds, in bytes or in messages, whichever is used more. One that drops its
 * oldest messages instead is never full.
 */
export function levelOf({ config, state }: Pick<StreamInfo, "config" | "state">): Level | undefined {
  if (config.discard !== "new") return undefined;
  const levels = [
    { used: state.bytes, bound: config.max_bytes, of: "bytes" },
    { used: state.messages, bound: config.max_msgs, of: "messages" },
  ].flatMap(({ used, bound, of }) => (bound > 0 ? [{ share: used / bound, text: `${used} of ${bound} ${of}` }] : []));
  return levels.sort((a, b) => b.share - a.share)[0];
}
