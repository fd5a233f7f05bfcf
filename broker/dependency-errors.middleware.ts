import type { Context, Middleware, Service } from "moleculer";
import { failureName, outage } from "./failure.ts";
import { isOutage } from "./outages.ts";

/**
 * Turns the outage of a dependency that an action met into the failure `unavailable`, so that it crosses nodes as what
 * it is, and logs every outage and every fault (not the business outcomes) once, where it happened, with the request id.
 */
export const dependencyErrors: Middleware = {
  name: "DependencyErrors",
  localAction(next, action) {
    return async function guarded(this: Service, ctx: Context) {
      try {
        return await next.call(this, ctx);
      } catch (error) {
        const about = { action: action.name, requestId: ctx.requestID, caller: ctx.caller, err: error };
        const name = failureName(error);
        // The cause does not cross nodes: log the driver's error here.
        const met = name === undefined ? isOutage(error) : (error as Error).cause !== undefined;
        if (met) ctx.broker.logger.warn(about, "a dependency is unavailable: the caller is told to try again");
        if (name !== undefined) throw error;
        if (met) throw outage(error, { action: action.name });
        if ((error as { code?: unknown } | null)?.code !== 422) ctx.broker.logger.error(about, "action failed");
        throw error;
      }
    };
  },
};
