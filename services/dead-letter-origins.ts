import { natsPrefix } from "../config/config.ts";
import type { DeadLetter } from "../mixins/jetstream/dead-letters.ts";
import { partsOf } from "../mixins/jetstream/definitions.ts";
import { type ServiceConsumer, streamAccess } from "./stream-access.ts";

/** The streams and subjects of a consumer's messages, as on the server. */
function originsOf({ stream, subject }: ServiceConsumer): { stream: string; subject: string }[] {
  return partsOf(stream).flatMap(({ name, subjects }) =>
    (subject === undefined ? subjects : [subject]).map((one) => ({
      ...{ stream: natsPrefix() + name, subject: natsPrefix() + one },
    })),
  );
}

/**
 * Whether the table (stream-access.ts) has a consumer of that name that gets messages of that subject from that stream.
 * A dead letter says itself where it came from, and its writer may lie.
 */
export function isOriginOfTable({ channel, stream, subject }: Pick<DeadLetter, "channel" | "stream" | "subject">) {
  return Object.values(streamAccess)
    .flatMap(({ consumers }) => consumers)
    .filter(({ durable }) => durable === channel)
    .flatMap(originsOf)
    .some((origin) => origin.stream === stream && origin.subject === subject);
}
