import type { JsMsg } from "nats";
import type { ChannelMessage } from "./channel.ts";

/** A message in a channel's hands. */
export interface Delivered {
  readonly key: string;
  readonly message: JsMsg;
  readonly data: unknown;
  attempts: number;
}

/** What a handler sees of it. */
export function view({ message, data }: Delivered): ChannelMessage {
  return {
    data,
    subject: message.subject,
    sequence: message.seq,
    requestId: message.headers?.get("Request-Id") || undefined,
  };
}
