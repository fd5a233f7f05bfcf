import { type Context, Errors, type Middleware, type ServiceBroker } from "moleculer";

type Handler = (ctx: Context) => Promise<unknown>;

/** What Moleculer keeps of calls that are not answered. */
interface OpenCalls {
  readonly _trackedContexts: Context[];
  readonly transit: { removePendingRequest(id: string): void };
}

/**
 * Removes a call to another node that timed out from what Moleculer keeps. Moleculer removes a call when its answer
 * comes or its node leaves. Without this, each unanswered call to a node that lives on would stay in memory, and every
 * stop of this node would wait for it for the whole `limits.rpc.shutdownTimeoutMs`. An answer that comes later is
 * dropped. Must stand behind ContextTracker and Timeout.
 */
export function timedOutCalls(broker: ServiceBroker): Middleware {
  const remove = (ctx: Context) => {
    const { _trackedContexts: tracked, transit } = broker as unknown as OpenCalls;
    transit.removePendingRequest(ctx.id);
    const at = tracked.indexOf(ctx);
    if (at >= 0) tracked.splice(at, 1);
  };
  return {
    name: "TimedOutCalls",
    remoteAction(next: Handler): Handler {
      return (ctx) => {
        const answered = next(ctx);
        answered.catch((error: unknown) => {
          if (error instanceof Errors.RequestTimeoutError) remove(ctx);
        });
        return answered;
      };
    },
  } as unknown as Middleware;
}
