import type { Context, Middleware, ServiceBroker } from "moleculer";
import { mayCall } from "../../services/access.ts";
import { fail } from "../failure.ts";
import { refusalsOf } from "./refusals.ts";
import { type Caller, membersOf } from "./roles.ts";
import { roleOfNode } from "./subjects.ts";

type Handler = (ctx: Context) => Promise<unknown>;
interface Action {
  readonly name: string;
}

/**
 * Checks calls between nodes against the table of who may call what (services/access.ts), on both sides. The callee
 * knows its caller by `ctx.nodeID`, which the transporter has compared with the packet's subject; `ctx.caller` and
 * `meta` are claims. The caller asks the table first, since nats-server refuses a publication without an answer. Calls
 * within a process are not checked. Fails: callerRefused; nothing was done then.
 */
export function callerTable(broker: ServiceBroker): Middleware {
  const refusals = refusalsOf(broker);
  const refused = (from: string, { name }: Action, ctx: Context, text: string) => {
    refusals.note("caller", { from, name, caller: ctx.caller, requestId: ctx.requestID }, text);
    return Promise.reject(fail("callerRefused", { action: name, role: roleOfNode(from) }));
  };
  return {
    name: "CallerTable",
    localAction(next: Handler, action: Action): Handler {
      return (ctx) => {
        const from = ctx.nodeID;
        if (from === null || from === broker.nodeID) return next(ctx);
        const role = roleOfNode(from);
        if (!mayCall(role, action.name))
          return refused(from, action, ctx, "a call is refused: its caller is not in the table of who may call what");
        // A claim, which labels metrics and logs.
        if (!membersOf(role)?.has(ctx.caller as Caller)) ctx.caller = role;
        return next(ctx);
      };
    },
    remoteAction(next: Handler, action: Action): Handler {
      if (mayCall(roleOfNode(broker.nodeID), action.name)) return next;
      return (ctx) =>
        refused(
          broker.nodeID,
          action,
          ctx,
          "this node may not call this: the call is not sent, its caller gets an error",
        );
    },
  } as unknown as Middleware;
}
