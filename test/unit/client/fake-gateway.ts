/** A fetch that answers from a list, for the client's repeats: real servers do not fail on request. */

export interface Sent {
  path: string;
  headers: Headers;
  body: Record<string, unknown>;
}
/** An answer: an envelope with its status and headers, or what fetch rejects with; `hang`: none until the abort. */
export type Planned =
  | { status?: number; headers?: Record<string, string>; code?: number; msg?: string; data?: unknown; text?: string }
  | Error
  | "hang";

export const success = (data: unknown): Planned => ({ code: 200, data });
export const away = (data: unknown = null, seconds = 0): Planned => ({
  ...{ status: 503, code: 503, data, headers: { "Retry-After": String(seconds) } },
});
export const lost = (): Planned => new TypeError("fetch failed");

export class FakeGateway {
  readonly sent: Sent[] = [];
  private readonly plan: Planned[];

  constructor(...plan: Planned[]) {
    this.plan = plan;
  }

  /** The paths asked for, without their base. */
  get paths(): string[] {
    return this.sent.map(({ path }) => path.split("/").slice(-2).join("/"));
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const body = (await request.clone().json()) as Record<string, unknown>;
    this.sent.push({ path: new URL(request.url).pathname, headers: request.headers, body });
    const planned = this.plan.shift();
    if (planned === undefined) throw new Error(`nobody expected request ${this.sent.length}: ${request.url}`);
    if (planned instanceof Error) throw planned;
    if (planned === "hang")
      return new Promise((_, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
      });
    const { status = 200, headers = {}, code = 200, msg = "", data = null, text } = planned;
    return new Response(text ?? JSON.stringify({ code, msg, data }), { status, headers });
  };
}

/** Repeats that do not wait, except for a `Retry-After`. */
export const atOnce = { pauseMs: 0, pauseMostMs: 0 };
