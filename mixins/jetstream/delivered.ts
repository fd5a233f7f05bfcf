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
    // Headers are read when somebody asks: of most messages of a batch nobody does.
    get requestId() {
      return message.headers?.get("Request-Id") || undefined;
    },
  };
}
