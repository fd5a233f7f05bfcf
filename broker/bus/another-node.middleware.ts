import type { ActionSchema, CallingOptions, Context, Middleware, ServiceBroker } from "moleculer";
import { mayCall } from "../../services/access.ts";
import { isRepeatable } from "../../services/repeatable-actions.ts";
import { fail, isFailure, isUnavailable, leftUnanswered, mayHaveHappened, reachedNobody } from "../failure.ts";
import { fieldsOf } from "../unknown-values.ts";
import { roleOfNode } from "./subjects.ts";

type Handler = (ctx: Context) => Promise<unknown>;

interface Endpoint {
  readonly id: string;
  readonly isAvailable: boolean;
}
/** The used part of Moleculer's list of the nodes that have an action. */
interface Endpoints {
  readonly endpoints: readonly Endpoint[];
  select(list: readonly Endpoint[], ctx: Context): Endpoint;
}

/** `tried`: the nodes that were asked before. */
interface Options extends CallingOptions {
  readonly tried?: readonly string[];
}

/** How many nodes are asked for one call. */
const nodesAsked = 3;

/** Why another node is asked. */
type Reason = "left" | "refused" | "gone";

const counter = {
  type: "counter",
  name: "ovation.bus.asked.again",
  description: "Calls that another node was asked for, since the first one had left, had gone or is of another release",
  labelNames: ["reason"],
} as const;

/**
 * Why another node may be asked for a call, by the error of this one; `undefined` where it must not. `left`: the node
 * stops, and did not begin the call. `refused`: its table of who may call what does not know this caller, so it is of
 * another release, and did not begin the call. `gone`: it went away without an answer, and the action may be repeated.
 * An error of a call that the action itself made names another action or node.
 */
function reasonFor(error: unknown, action: string, nodeId: string | null): Reason | undefined {
  const data = fieldsOf((error as { data?: unknown } | null)?.data);
  if (data?.action !== action) return undefined;
  if (isFailure(error, "callerRefused")) return "refused";
  if (data.nodeID !== nodeId) return undefined;
  if (reachedNobody(error)) return "left";
  return leftUnanswered(error) && isRepeatable(action) ? "gone" : undefined;
}

/** Whether an error says no more than that this try carried nothing out. */
const saysNothing = (error: unknown) => isUnavailable(error) && !mayHaveHappened(error);

/**
 * Asks another node where the one that was chosen is stopping, has gone, or is of a release that does not know the
 * caller yet. A call whose caller chose the node is not asked of another one. Fails: unavailable, where every node refuses the caller.
 */
export function anotherNode(broker: ServiceBroker): Middleware {
  const ask = (error: unknown, ctx: Context, action: string): Promise<unknown> => {
    const { tried = [], ...options } = ctx.options as Options;
    const reason = reasonFor(error, action, ctx.nodeID);
    if (reason === undefined || (options.nodeID !== undefined && tried.length === 0)) return Promise.reject(error);
    const asked = [...tried, ctx.nodeID ?? ""];
    const list = broker.registry.getActionEndpoints(action) as unknown as Endpoints | null;
    const others = list?.endpoints.filter(({ id, isAvailable }) => isAvailable && !asked.includes(id)) ?? [];
    const next = others.length > 0 && asked.length < nodesAsked ? list?.select(others, ctx) : undefined;
    if (!next) {
      const why = { action, cause: "the nodes of this service are of a release that does not know the caller" };
      return Promise.reject(reason === "refused" ? fail("unavailable", why) : error);
    }
    broker.metrics.increment(counter.name, { reason });
    const again: Options & { nodeID: string } = { ...options, nodeID: next.id, tried: asked };
    const answered = broker.call(action, ctx.params as object, again);
    // The node that is gone may have carried it out, whatever the others say of their own tries.
    return reason === "gone"
      ? answered.catch((own: unknown) => Promise.reject(saysNothing(own) ? error : own))
      : answered;
  };
  return {
    name: "AnotherNode",
    created() {
      broker.metrics.register({ ...counter, labelNames: [...counter.labelNames] });
    },
    remoteAction(next: Handler, { name }: ActionSchema & { name: string }): Handler {
      // This node's own table refuses it: no node would take it.
      if (!mayCall(roleOfNode(broker.nodeID), name)) return next;
      return (ctx) => next(ctx).catch((error: unknown) => ask(error, ctx, name));
    },
  } as unknown as Middleware;
}
