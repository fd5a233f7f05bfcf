import type { Context, Middleware, ServiceBroker } from "moleculer";
import { limits } from "../config/limits.ts";
import type { Address } from "./bus/subjects.ts";
import { shown } from "./unknown-values.ts";

type Receive = (command: string, data: Buffer, address?: Address) => Promise<unknown> | undefined;
type Transit = { discoverer: { sendLocalNodeInfo(to: string): Promise<unknown> } };
type Handler = (ctx: Context) => Promise<unknown>;

const textMax = 200;

/** An id or name that the caller sent, for logs, metrics and rows: a string of bounded length, or null. */
function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value.length <= textMax ? value : null;
}

/**
 * Whether an INFO packet comes from another node with this node's id, by its subject and its content. A packet that
 * cannot be read does not.
 */
function isOfNamesake(broker: ServiceBroker, data: Buffer, address: Address | undefined): boolean {
  if (address?.from !== broker.nodeID) return false;
  try {
    const info = JSON.parse(data.toString()) as { sender?: unknown; instanceID?: unknown } | null;
    return info?.sender === broker.nodeID && info.instanceID !== broker.instanceID;
  } catch {
    // The transporter reads the packet too, and logs the error.
    return false;
  }
}

/**
 * All packets of other nodes enter here. An error in handling a packet drops that packet alone. Moleculer's transporter
 * does not await the handler, so without this guard a rejection would end the process.
 *
 * Moleculer also ends the process when an INFO packet comes from another node with its own id. Here that holds only
 * until `limits.bus.sameIdEndsMs` after the start. A node that has been up for longer drops such a packet and answers
 * it with its own INFO, so that of two nodes with one NODE_ID the second ends.
 */
export function busGuard(broker: ServiceBroker): Middleware {
  const refused = (command: string, error: unknown) => {
    const about = { command: shown(command), err: error };
    broker.logger.error(
      about,
      "a packet of another node could not be handled: it is dropped, its sender gets no answer",
    );
  };
  let startedAt = Number.POSITIVE_INFINITY;
  const hasBeenUp = () => performance.now() - startedAt >= limits.bus.sameIdEndsMs;
  let answeredAt = Number.NEGATIVE_INFINITY;
  /** Not more often than every `sameIdEndsMs`: two nodes that are both up would answer each other without end. */
  const answerNamesake = () => {
    if (performance.now() - answeredAt < limits.bus.sameIdEndsMs) return;
    answeredAt = performance.now();
    broker.logger.error("another node has this node's id: give each a NODE_ID of its own, or none");
    const { discoverer } = broker.transit as unknown as Transit;
    discoverer.sendLocalNodeInfo(broker.nodeID).catch((error: unknown) => refused("INFO", error));
  };
  return {
    name: "BusGuard",
    started() {
      startedAt = performance.now();
    },
    transporterReceive(next: Receive): Receive {
      return (command, data, address) => {
        try {
          if (command === "INFO" && hasBeenUp() && isOfNamesake(broker, data, address)) {
            answerNamesake();
            return undefined;
          }
          const handled = next(command, data, address);
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
