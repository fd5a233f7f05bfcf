import { fieldsOf } from "../broker/unknown-values.ts";
import { limits } from "../config/limits.ts";
import { bodyOf } from "../mixins/jetstream/signatures.ts";
import { orderId } from "./fields.ts";
import { safeParse } from "./safe-parse.ts";

/** What people see of a dead letter's body. Whoever may publish in its stream has written it: it may be anything. Pure. */

/** The body as text; characters that a terminal would execute are replaced. */
export function printable(data: Uint8Array): string {
  return new TextDecoder().decode(data).replace(/[^\P{C}\n\t]/gu, " ");
}

/** A field whose name says that it is a secret, with its text; in JSON that was cut the text may have no end. */
const secretField =
  /"([^"\\]{0,40}?(?:token|secret|passw|signature|authorization|cookie|phone)[^"\\]{0,40}|sig|mac|key|code)"(\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)/gis;

/** The text without its signature and without secrets: a person who reads it can publish nothing with it. */
function withoutSecrets(text: string): string {
  return bodyOf(text).replace(secretField, '"$1"$2"…"');
}

/** The body for staff, cut at `limits.jetstream.deadLetterShownChars`. */
export function shownBody(data: Uint8Array): { readonly body: string; readonly bodyCut: boolean } {
  const text = withoutSecrets(printable(data));
  const max = limits.jetstream.deadLetterShownChars;
  if (text.length <= max) return { body: text, bodyCut: false };
  // Half of a surrogate pair would be another text.
  return { body: text.slice(0, max).toWellFormed(), bodyCut: true };
}

function parsed(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}

/** What a body names as orders, each once. */
function namedOrders(data: Uint8Array): unknown[] {
  const message = fieldsOf(parsed(data));
  const about = fieldsOf(message?.data) ?? message;
  const gifts = Array.isArray(about?.gifts) ? about.gifts : [];
  const named = [about, ...gifts].map((one) => fieldsOf(one)?.orderId).filter((one) => one !== undefined);
  return [...new Set(named)];
}

function checkedOrder(named: unknown): string | null {
  const checked = safeParse(orderId, named);
  return checked.success ? checked.data : null;
}

/**
 * The order that a body is about: of a gift, of a message to the wallet or of an event; `null` where it names none, or
 * several. It is the word of who wrote it.
 */
export function orderOfBody(data: Uint8Array): string | null {
  const [first, ...others] = namedOrders(data);
  return others.length > 0 ? null : checkedOrder(first);
}

/** All orders that a body names, at most `limits.jetstream.deadLetterOrders`: a message of gifts has many. */
export function ordersOfBody(data: Uint8Array): string[] {
  return namedOrders(data)
    .map(checkedOrder)
    .filter((one) => one !== null)
    .slice(0, limits.jetstream.deadLetterOrders);
}
