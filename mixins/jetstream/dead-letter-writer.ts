import { randomUUID } from "node:crypto";
import { headers, type JetStreamClient, type JsMsg, type MsgHdrs } from "nats";
import { messageOf, shown } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { deadLetterSubject, type LetterProof } from "./definitions.ts";
import { isTooLarge } from "./port.ts";
import type { MessageSignatures, SignatureFault } from "./signatures.ts";
import { type MessageSplit, messageOfItem } from "./split.ts";

/**
 * Headers that are not copied. `Nats-`: they tell the server how to store a message; with the origin's stream in one of
 * them it would refuse every copy. `Dead-`: the writer's own, which a foreign publisher must not give.
 */
const ownHeader = /^(nats|dead)-/i;

/** Copies a header. An invalid header of a foreign publisher must not keep its message out of the dead letters. */
function copyHeader(head: MsgHdrs, key: string, value: string): void {
  if (ownHeader.test(key)) return;
  try {
    head.append(key, value);
  } catch (error) {
    head.set("Dead-Header", shown(messageOf(error), 100).replaceAll(/[\r\n]+/g, " "));
  }
}

/** `isSigned`: its channel checks signatures. */
function proofOf(isSigned: boolean, forged: SignatureFault | undefined): LetterProof {
  if (forged === "unknownKey") return "unknownKey";
  return isSigned && forged === undefined ? "proven" : "unproven";
}

interface WriterParts {
  readonly split?: MessageSplit;
  /** Of a channel of signed messages: an item is signed again, since it is a message of its own. */
  readonly signatures?: MessageSignatures;
}

/**
 * Copies a message, or an item of it as a message of its own, to the dead letters, with its origin and the reason; of a
 * forged message the very bytes, with a mark. An item's copy has the time of its message, where its split keeps it.
 * Resolves once the copy is confirmed. What is too large together with these headers is cut and marked as cut: it can be
 * read, but not replayed. Ovation itself writes no such message.
 */
export function deadLetterWriter(client: JetStreamClient, { split, signatures }: WriterParts = {}) {
  return async (
    channel: string,
    message: JsMsg,
    index: number | undefined,
    reason: string,
    forged?: SignatureFault,
  ): Promise<void> => {
    const { stream, consumer } = message.info;
    const own: Record<string, string> = {
      "Dead-Reason": reason.replaceAll(/[\r\n]+/g, " ").slice(0, 500),
      "Dead-Subject": message.subject,
      "Dead-Stream": stream,
      "Dead-Sequence": String(message.seq),
      // Nobody can guess the id of a replay, and have it dropped as a repeat by using the id first.
      "Dead-Replay-Id": randomUUID(),
      ...(index === undefined ? {} : { "Dead-Item": String(index) }),
      ...(forged ? { "Dead-Forged": forged } : {}),
    };
    const head = headers();
    for (const [key, values] of message.headers ?? []) for (const value of values) copyHeader(head, key, value);
    for (const [key, value] of Object.entries(own)) head.set(key, value);
    // The consumer's name tells streams of the same name apart (streams.ts).
    const place = `dead:${stream}:${consumer}:${message.seq}${index === undefined ? "" : `:${index}`}`;
    const msgID = signatures ? `dead:${signatures.idOf(place)}` : place;
    const subject = natsPrefix() + deadLetterSubject(channel, proofOf(signatures !== undefined, forged));
    const withoutPrefix = message.subject.slice(natsPrefix().length);
    const sign = (text: string) => signatures?.sign(withoutPrefix, text) ?? text;
    const data = forged ? message.data : messageOfItem(message, split, index, sign);
    await client.publish(subject, data, { msgID, headers: head }).catch((error: unknown) => {
      if (!isTooLarge(error)) throw error;
      const cut = headers();
      for (const [key, value] of Object.entries(own)) cut.set(key, value);
      cut.set("Dead-Cut", String(data.length));
      return client.publish(subject, data.subarray(0, limits.jetstream.deadLetterCutBytes), { msgID, headers: cut });
    });
  };
}
