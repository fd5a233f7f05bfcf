import { config, natsPrefix, settingsOf } from "../config/config.ts";
import { keysBlock, namedKeysIn } from "../config/named-keys.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import {
  bodyOf,
  type MessageSignatures,
  messageIdOf,
  signatureFault,
  signedText,
} from "../mixins/jetstream/signatures.ts";

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
    "has one can make coins. A key must stay in the list for 35 days after another one has become the first.",
  ],
});

/** The signatures of a kind of messages in this namespace. `signer` is the service that may give them. */
function signaturesWith(block: SettingsBlock, signer: string): MessageSignatures {
  const [name = ""] = Object.keys(block.settings);
  const keys = namedKeysIn(settingsOf(block)?.[name] ?? "");
  const { NAMESPACE: namespace } = config();
  const prefix = natsPrefix();
  const placeOf = (subject: string) => ({ namespace, subject, signer });
  return {
    setting: name,
    sign: (subject, text) => signedText(keys, placeOf(prefix + subject), text),
    faultOf: (subject, data) => signatureFault(keys, placeOf(subject), data),
    resign: (subject, text) => {
      const fault = signatureFault(keys, placeOf(prefix + subject), Buffer.from(text));
      return fault ? { fault } : { text: signedText(keys, placeOf(prefix + subject), bodyOf(text)) };
    },
    idOf: (text) => messageIdOf(keys, placeOf(""), text),
  };
}

/** Of accepted gifts. @throws Error that lists every problem of the settings, GIFT_KEYS among them */
export function giftSignatures(): MessageSignatures {
  return signaturesWith(giftKeySettings, "gift");
}

/** Of paid orders and refunds. @throws Error that lists every problem of the settings, PAY_KEYS among them */
export function paySignatures(): MessageSignatures {
  return signaturesWith(payKeySettings, "payment");
}
