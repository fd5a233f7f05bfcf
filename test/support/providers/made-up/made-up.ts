import { secret, text } from "../../../../config/setting-kinds.ts";
import type { ProviderDeclaration } from "../../../../services/payment/providers/provider.ts";

/** A provider that there is in tests alone: this folder, and a line in the registry, which a test adds. */
export const madeUp: ProviderDeclaration = {
  name: "madeup",
  payChannel: 9,
  rank: 9,
  title: { zh: "样例支付", en: "Made-up Pay" },
  kind: "redirect",
  webhook: { path: "madeUpNotify", summary: "Webhook of the made-up provider" },
  billFile: "lines of JSON",
  settings: {
    title: "Made-up Pay",
    settings: {
      MADE_UP_KEY: { kind: secret, text: ["Made-up Pay: both, or none."] },
      MADE_UP_SHOP: { kind: text },
    },
  },
  load: () => import("./made-up-provider.ts"),
};
