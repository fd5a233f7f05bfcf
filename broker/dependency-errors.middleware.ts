import { type Context, Errors, type Middleware, type Service } from "moleculer";
import { failureName, outage } from "./failure.ts";
import { isDriverFault, isOutage } from "./outages.ts";

/**
 * Converts the outage of a dependency in an action into the failure `unavailable`, which keeps its meaning across
 * nodes. Logs every outage and every fault (not business outcomes) once, on the node where it happened, with the
 * request id. A driver's message about a wrong statement stays on this node: callers get a plain fault.
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
        if (met) ctx.broker.logger.warn(about, "a dependency is unavailable: the caller gets unavailable");
        if (name !== undefined) throw error;
        if (met) throw outage(error, { action: action.name });
        ctx.broker.logger.error(about, "action failed");
        throw isDriverFault(error) ? fault(error, action.name) : error;
      }
    };
  },
};

/**
 * A fault without the driver's text, which would carry values of the statement to other nodes and into dead letters.
 */
function fault(cause: unknown, action = "an action"): Error {
  const text = `internal error in ${action}: see the log of its node`;
  return Object.assign(new Errors.MoleculerError(text, 500, "FAULT", { action }), { cause });
}
