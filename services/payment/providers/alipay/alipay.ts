import { pem, text, url } from "../../../../config/setting-kinds.ts";
import type { ProviderDeclaration } from "../provider.ts";

/** Alipay's page pay, with RSA2 signatures. */
export const alipay: ProviderDeclaration = {
  name: "alipay",
  payChannel: 0,
  rank: 2,
  title: { zh: "支付宝", en: "Alipay" },
  kind: "redirect",
  webhook: { path: "aliNotify", summary: "Webhook of Alipay, verified and answered in its own format" },
  billFile: "the ZIP archive of Alipay's trade bill",
  settings: {
    title: "Alipay",
    settings: {
      ALIPAY_APP_ID: { kind: text, text: ["Alipay: all of these but the last, or none. Keys as for WeChat Pay."] },
      ALIPAY_SELLER_ID: { kind: text },
      ALIPAY_PRIVATE_KEY: { kind: pem("private") },
      ALIPAY_PUBLIC_KEY: { kind: pem("public") },
      ALIPAY_GATEWAY: { kind: url("http:", "https:"), optional: true },
    },
  },
  load: () => import("./alipay-provider.ts"),
};
