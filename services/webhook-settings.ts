import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import type { Receivers } from "../mixins/outgoing/outgoing-url.ts";

/** Of gateways and webhook nodes. */
export const webhookSettings: SettingsBlock = {
  title: "Webhooks",
  settings: {
    WEBHOOK_PRIVATE_ADDRESSES: {
      kind: z.enum(["refuse", "allow"]),
      optional: true,
      text: [
        "refuse (where it is unset) or allow, for gateways and webhook nodes alike. refuse: webhooks are https alone, and",
        "never call a private, loopback or link-local address, whatever name leads to it. allow: where the receivers are in",
        "the network of this system; whoever may make a webhook can then have anything there called.",
      ],
    },
  },
};

/** Which receivers webhooks may call. @throws Error that lists every problem of this process's settings */
export function webhookReceivers(): Receivers {
  return settingsOf(webhookSettings)?.WEBHOOK_PRIVATE_ADDRESSES === "allow" ? "any" : "public";
}
