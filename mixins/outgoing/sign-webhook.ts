import { Webhook } from "standardwebhooks";

/** The headers of a signed call (Standard Webhooks). */
export interface WebhookHeaders {
  readonly "webhook-id": string;
  /** Seconds since 1970. */
  readonly "webhook-timestamp": string;
  /** One signature for each secret, separated by blanks. */
  readonly "webhook-signature": string;
}

/**
 * Signs the body of a call by the Standard Webhooks rules. `id` is the same in every repeat, `timestamp` is that of this
 * try. Several secrets give several signatures, so that a receiver can verify with either while they are exchanged.
 * @throws Error where a secret is not `whsec_` and base64
 */
export function signWebhook(secrets: readonly string[], id: string, timestamp: Date, body: string): WebhookHeaders {
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, timestamp, body));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(timestamp.getTime() / 1_000)),
    "webhook-signature": signatures.join(" "),
  };
}
