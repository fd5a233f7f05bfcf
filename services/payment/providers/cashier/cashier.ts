import { z } from "zod";
import { secret, text } from "../../../../config/setting-kinds.ts";
import { orderId } from "../../../fields.ts";
import type { ProviderDeclaration } from "../provider.ts";

/** The sandbox cashier: a payment provider for machines without one. */
export const cashier: ProviderDeclaration = {
  name: "cashier",
  payChannel: 3,
  rank: 3,
  title: { zh: "收银台", en: "the cashier" },
  kind: "page",
  webhook: {
    path: "cashierNotify",
    summary: "Webhook of the sandbox cashier, verified and answered in its own format",
  },
  billFile: "the cashier's CSV",
  page: {
    path: "/sandbox/cashier",
    fields: z.object({ orderId, action: z.string().max(20).optional() }),
  },
  migrations: "services/payment/providers/cashier/migrations",
  settings: {
    title: "The sandbox cashier",
    settings: {
      CASHIER_SECRET: {
        kind: secret,
        text: [
          "Opens the sandbox cashier (pay channel 3), which gives coins away: refused in production. At least 16 characters.",
        ],
      },
      CASHIER_BILL_DIR: {
        kind: text,
        optional: true,
        alone: true,
        text: [
          "Folder of the cashier's bills (cashier-YYYY-MM-DD.csv), written when a day is compared. By default in the system's",
          "folder for temporary files.",
        ],
      },
    },
    problems: (_given, { PROFILE }) =>
      PROFILE === "production"
        ? [["CASHIER_SECRET", "must not be set in production: the cashier gives coins away"]]
        : [],
  },
  load: () => import("./cashier-provider.ts"),
};
