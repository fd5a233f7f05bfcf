import type { Context, Middleware, ServiceBroker } from "moleculer";
import { shown } from "./unknown-values.ts";

type Receive = (command: string, data: Buffer) => Promise<unknown> | undefined;
type Handler = (ctx: Context) => Promise<unknown>;

const textMax = 200;

/** An id or name that the caller sent, for logs, metrics and rows: a string of bounded length, or null. */
function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value.length <= textMax ? value : null;
}

/**
 * All packets of other nodes enter here. An error in handling a packet drops that packet alone. Moleculer's transporter
 * does not await the handler, so without this guard a rejection would end the process.
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
