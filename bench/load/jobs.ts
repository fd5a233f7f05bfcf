/** What the benchmark and its load generator, a process of its own, say to each other. */

export interface Target {
  host: string;
  port: number;
  /** How many requests may be under way. */
  connections: number;
}

/** Whose gift goes where. */
export interface Sender {
  token: string;
  roomId: number;
  receiverId: string;
}

interface Load extends Target {
  senders: readonly Sender[];
  giftId: number;
  /** How the body of an answer starts that is a success. */
  success: string;
  seconds: number;
}

/** As many requests as the connections carry: each sends the next one when the last is answered. */
export interface FloodJob extends Load {
  kind: "flood";
}

/** Requests at a steady rate, whether they are answered or not. Viewers are watched all the time. */
export interface SteadyJob extends Load {
  kind: "steady";
  perSecond: number;
  /** How long, after the last answer, an effect may take to reach a viewer before it counts as lost. */
  lostAfterMs: number;
}

/** Connects viewers; they stay until they are told to leave. */
export interface WatchJob {
  kind: "watch";
  viewers: readonly { roomId: number; url: string }[];
}

/** The viewers leave. */
export interface LeaveJob {
  kind: "leave";
}

export interface Answers {
  accepted: number;
  /** Answers that were no success, by their status and the start of their body. */
  refused: Record<string, number>;
  /** Requests without an answer: they may have been accepted. */
  unknown: number;
  /** From the first request to the last answer. */
  seconds: number;
}

export interface FloodReport extends Answers {
  /** From request to answer. */
  p50Ms: number;
  p99Ms: number;
}

export interface SteadyReport extends Answers {
  /** From answer to frame, over all viewers of all gifts. */
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  samples: number;
  /** Accepted gifts that at least one viewer of the room was not shown. */
  lost: number;
}

export interface WatchReport {
  /** How many are connected. */
  viewers: number;
}

interface Reports {
  flood: FloodReport;
  steady: SteadyReport;
  watch: WatchReport;
  leave: WatchReport;
}

export type Job = FloodJob | SteadyJob | WatchJob | LeaveJob;
export type ReportOf<J extends Job> = Reports[J["kind"]];
