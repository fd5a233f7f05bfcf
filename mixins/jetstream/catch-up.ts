import type { Log } from "../../broker/log.ts";

/** What a consumer of a log may have missed, and is to be told again from the books. */
export interface Missed {
  /** Nothing older was missed. */
  readonly since: Date;
  /** Once it is aborted, since the service stops, the catch-up rejects after the event in progress. */
  readonly signal: AbortSignal;
  readonly log: Log;
}
