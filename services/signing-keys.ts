import { config, natsPrefix, settingsOf } from "../config/config.ts";
import { keysBlock, type NamedKeys, namedKeysIn } from "../config/named-keys.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import { type MessageSignatures, messageSignatures } from "../mixins/jetstream/signatures.ts";

/** The keys of accepted gifts. Gift nodes alone sign and check them. */
export const giftKeySettings = keysBlock({
  name: "GIFT_KEYS",
  title: "Signatures of accepted gifts",
  nodes: "gift nodes",
  text: [
    "The keys that sign accepted gifts, for gift nodes alone, in the form of TOKEN_KEYS. Whoever has one can spend",
    "anybody's coins. A key must stay in the list for 35 days after another one has become the first.",
  ],
});

/** The keys of paid orders and refunds. Payment nodes sign with them, wallet nodes check. */
export const payKeySettings = keysBlock({
  name: "PAY_KEYS",
  title: "Signatures of paid orders and refunds",
  nodes: "payment and wallet nodes",
  text: [
    "The keys that sign paid orders and refunds, for payment and wallet nodes alone, in the form of TOKEN_KEYS. Whoever",
    "has one can make coins. A key must stay in the list for 35 days after another one has become the first, and as",
    "long as orders that were made with it may still be paid, credited or refunded.",
  ],
});

/** The keys of the platform's orders to move money. Platform nodes sign with them, wallet nodes check. */
export const platformKeySettings = keysBlock({
  name: "PLATFORM_KEYS",
  title: "Signatures of the platform's orders",
  nodes: "platform and wallet nodes",
  text: [
    "The keys that sign credits, adjustments and payouts of the server API, for platform and wallet nodes alone, in the",
    "form of TOKEN_KEYS. Whoever has one can make coins. A key must stay in the list for 35 days after another one has",
    "become the first, and as long as orders that were made with it are pending.",
  ],
});

function keysOf(block: SettingsBlock): { setting: string; keys: NamedKeys } {
  const [setting = ""] = Object.keys(block.settings);
  return { setting, keys: namedKeysIn(settingsOf(block)?.[setting] ?? "") };
}

function signaturesWith(block: SettingsBlock, signer: string): MessageSignatures {
  return messageSignatures({ ...keysOf(block), signer, namespace: config().NAMESPACE, prefix: natsPrefix() });
}

/** Of accepted gifts. @throws Error that lists every problem of the settings, GIFT_KEYS among them */
export function giftSignatures(): MessageSignatures {
  return signaturesWith(giftKeySettings, "gift");
}

/** Of paid orders and refunds. @throws Error that lists every problem of the settings, PAY_KEYS among them */
export function paySignatures(): MessageSignatures {
  return signaturesWith(payKeySettings, "payment");
}

/** Of the platform's orders. @throws Error that lists every problem of the settings, PLATFORM_KEYS among them */
export function platformSignatures(): MessageSignatures {
  return signaturesWith(platformKeySettings, "platform");
}

/** The keys themselves, for the MACs of orders. @throws Error as `paySignatures` does */
export function payKeys(): NamedKeys {
  return keysOf(payKeySettings).keys;
}
