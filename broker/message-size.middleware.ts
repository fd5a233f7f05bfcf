import type { Middleware, ServiceBroker } from "moleculer";
import { fail } from "./failure.ts";

/** The used parts of Moleculer's NATS transporter and of a packet, which are missing in its types. */
interface Transporter {
  client?: { info?: { max_payload: number } } | null;
}
interface SendMeta {
  packet?: { type: string; payload?: { id?: string; action?: string; event?: string } };
}
type Send = (topic: string, data: Uint8Array, meta: SendMeta) => Promise<unknown>;

/**
 * A call, answer or event that is too large for NATS fails at once as `messageTooLarge`, with its size. The caller of
 * the action gets that failure, for its parameters and for its answer alike, instead of a time-out, and does not retry.
 * The bound is the server's, read when the connection is made.
 */
export function messageSize(broker: ServiceBroker): Middleware {
  const transit = () => broker.transit as unknown as { tx: Transporter; removePendingRequest(id: string): void };
  const transporterSend =
    (next: Send): Send =>
    (topic, data, meta) => {
      const most = transit().tx.client?.info?.max_payload;
      if (most === undefined || data.length <= most) return next(topic, data, meta);
      const { type, payload } = meta.packet ?? {};
      const about = { packet: type, action: payload?.action ?? payload?.event, topic, bytes: data.length, most };
      broker.logger.error(
        about,
        "a message is too large for NATS: it is not sent, and its caller gets messageTooLarge",
      );
      // Otherwise Moleculer would keep the request pending for ever.
      if (type === "REQ" && payload?.id !== undefined) transit().removePendingRequest(payload.id);
      // Thrown, not rejected: only then does an answer that is too large become the error of its call.
      throw fail("messageTooLarge", about);
    };
  return { name: "MessageSize", transporterSend } as unknown as Middleware;
}
