import { fail } from "../broker/failure.ts";
import { BatchLoader } from "./batch-loader.ts";

interface Bounds {
  /** Requests of one batch, and batches that run at once. */
  readonly requests: number;
  readonly batches: number;
  /** A request that has waited longer for its batch is rejected with `unavailable`; it was not carried out. */
  readonly waitMs?: number;
}

interface Waiting<Request> {
  readonly request: Request;
  readonly since: number;
}

/**
 * Carries requests out in batches: those that arrive while batches run are the next one. No timer delays them, so a single
 * request is carried out at once. Unlike with BatchLoader every request is its own, equal ones too.
 */
export class RequestBatches<Request, Result> {
  private readonly waiting = new Map<string, Waiting<Request>>();
  private readonly loader: BatchLoader<{ result: Result }>;
  private count = 0;

  /** `carryOut`: one result for each request, in their order. */
  constructor(carryOut: (requests: Request[]) => Promise<readonly Result[]>, { requests, batches, waitMs }: Bounds) {
    const load = async (ids: string[]) => {
      const since = waitMs === undefined ? Number.NEGATIVE_INFINITY : performance.now() - waitMs;
      const due = this.take(ids).filter(([, waiting]) => waiting.since >= since);
      const results = due.length === 0 ? [] : await carryOut(due.map(([, { request }]) => request));
      return new Map(due.map(([id], at) => [id, { result: results[at] as Result }]));
    };
    this.loader = new BatchLoader(load, { keys: requests, queries: batches });
  }

  /** Rejects as its batch; with `unavailable` where it has waited for too long. */
  async add(request: Request): Promise<Result> {
    const id = String(this.count++);
    this.waiting.set(id, { request, since: performance.now() });
    const carriedOut = await this.loader.get(id);
    if (!carriedOut) throw fail("unavailable", { why: "a request has waited too long for its batch" });
    return carriedOut.result;
  }

  private take(ids: readonly string[]): [string, Waiting<Request>][] {
    return ids.map((id) => {
      const waiting = this.waiting.get(id) as Waiting<Request>;
      this.waiting.delete(id);
      return [id, waiting];
    });
  }
}
