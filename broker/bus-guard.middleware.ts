import type { Context, Middleware, ServiceBroker } from "moleculer";
import { shown } from "./unknown-values.ts";

type Receive = (command: string, data: Buffer) => Promise<unknown> | undefined;
type Handler = (ctx: Context) => Promise<unknown>;

const textMax = 200;

/** Ids and names of the caller's, which go into logs, metrics and rows: a text of bounded length, or nothing. */
function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value.length <= textMax ? value : null;
}

/**
 * The one place where packets of other nodes enter this one. What a packet throws, or what its handling rejects with
 * when no answer can be made, costs that packet alone: the transporter awaits nothing, so it would end the process.
 */
export function busGuard(broker: ServiceBroker): Middleware {
  const refused = (command: string, error: unknown) => {
    const about = { command: shown(command), err: error };
    broker.logger.error(
      about,
      "a packet of another node could not be handled: it is dropped, its sender gets no answer",
    );
  };
  return {
    name: "BusGuard",
    transporterReceive(next: Receive): Receive {
      return (command, data) => {
        try {
          const handled = next(command, data);
          handled?.catch((error: unknown) => refused(command, error));
          return handled;
        } catch (error) {
          refused(command, error);
          return undefined;
        }
      };
    },
    localAction(next: Handler): Handler {
      return (ctx) => {
        ctx.requestID = textOrNull(ctx.requestID) as string;
        ctx.caller = textOrNull(ctx.caller);
        return next(ctx);
      };
    },
  } as unknown as Middleware;
}
