/** The messages between the benchmark and its load generator process. */

export interface Target {
  host: string;
  port: number;
  /** Requests in progress at once. */
  connections: number;
}

/** A sender with room and receiver. */
export interface Sender {
  token: string;
  roomId: number;
  receiverId: string;
  /** The platform's ids of sender, receiver and room, for loads through the server API. */
  externalIds?: { externalId: string; receiverExternalId: string; externalRoomId: string };
}

interface Load extends Target {
  senders: readonly Sender[];
  giftId: number;
  /** The first characters of a successful answer's body. */
  success: string;
  seconds: number;
}

/** Closed loop: each connection sends its next request when the last one is answered. */
export interface FloodJob extends Load {
  kind: "flood";
  /** Gifts go through the server API with this key. */
  apiKey?: string;
  /** The report has the gifts whose answers took longer, and the times of all. */
  slowMs?: number;
}

/** Open loop: requests at a steady rate, whether they are answered or not, while viewers record what they see. */
export interface SteadyJob extends Load {
  kind: "steady";
  perSecond: number;
  /** How long, after the last answer, an effect may take to reach a viewer before it counts as lost. */
  lostAfterMs: number;
}

/** Connects viewers; they stay until the job that disconnects them. */
export interface WatchJob {
  kind: "watch";
  viewers: readonly { roomId: number; url: string }[];
}

/** Disconnects the viewers. */
export interface LeaveJob {
  kind: "leave";
}

export interface Answers {
  accepted: number;
  /** Failed answers by their status, code and text. */
  refused: Record<string, number>;
  /** Requests that may have been accepted: without an answer, or answered so. */
  unknown: number;
  /** From the first request to the last answer. */
  seconds: number;
}

export interface FloodReport extends Answers {
  /** From request to answer. */
  p50Ms: number;
  p99Ms: number;
  /** With `slowMs`: what took longer, an order id where the gift was accepted. */
  slow?: readonly { orderId: string | undefined; ms: number }[];
  /** With `slowMs`: of all requests. */
  timesMs?: Float64Array;
}

export interface SteadyReport extends Answers {
  /** From answer to frame, of all viewers and gifts. */
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  samples: number;
  /** Accepted gifts that at least one viewer of the room did not see. */
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
