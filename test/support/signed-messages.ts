import type { MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import { giftSignatures, paySignatures, platformSignatures } from "../../services/signing-keys.ts";

/** The gift queue's message of these gifts, without its signature. */
export const groupOf = <Gift>(gifts: readonly Gift[]) => ({ gifts });

/**
 * The JSON of a message, signed where its subject is one of orders to move money, as the service would that may give
 * them. A single gift becomes a group of one. `subject`: without the namespace's prefix.
 */
export function signedText(subject: string, payload: object): string {
  const isGift = subject.startsWith("gift.send.");
  const whole = isGift && "orderId" in payload ? groupOf([payload]) : payload;
  const signatures = signaturesOf(subject);
  return signatures ? signatures.sign(subject, JSON.stringify(whole)) : JSON.stringify(whole);
}

function signaturesOf(subject: string): MessageSignatures | undefined {
  if (subject.startsWith("gift.send.")) return giftSignatures();
  if (subject.startsWith("platform.")) return platformSignatures();
  return subject.startsWith("pay.") ? paySignatures() : undefined;
}
