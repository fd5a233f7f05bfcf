import { settingsOf } from "../config/config.ts";
import { keysBlock, type NamedKeys, namedKeysIn } from "../config/named-keys.ts";

/** The keys with which the secrets of webhooks are sealed in the database. Webhook nodes alone need them. */
export const webhookKeySettings = keysBlock({
  name: "WEBHOOK_KEYS",
  title: "Secrets of webhooks",
  nodes: "webhook nodes",
  text: [
    "The keys with which the secrets of webhooks are encrypted in the database, for webhook nodes alone, in the form of",
    "TOKEN_KEYS. The first key encrypts, all of them decrypt. A key must stay in the list until every secret that was",
    "made with it has been rotated.",
  ],
});

/** The keys of this process. @throws Error that lists every problem of its settings, WEBHOOK_KEYS among them */
export function webhookKeys(): NamedKeys {
  return namedKeysIn(settingsOf(webhookKeySettings)?.WEBHOOK_KEYS ?? "");
}
