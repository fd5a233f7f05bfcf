import { z } from "zod";
import { pem, text, url } from "../../../../config/setting-kinds.ts";
import type { ProviderDeclaration } from "../provider.ts";

/** WeChat Pay API v3, Native: the payer scans a code. */
export const wechat: ProviderDeclaration = {
  name: "wechat",
  payChannel: 1,
  rank: 1,
  title: { zh: "微信支付", en: "WeChat Pay" },
  kind: "qr",
  webhook: { path: "wxNotify", summary: "Webhook of WeChat Pay v3, verified and answered in its own format" },
  billFile: "a trade bill in CSV of WeChat Pay",
  settings: {
    title: "WeChat Pay",
    settings: {
      WECHAT_PAY_MCHID: {
        kind: text,
        text: [
          "WeChat Pay: all settings up to WECHAT_PAY_PLATFORM_SERIAL, or none. Keys are RSA, PEM, here (with \\n) or as",
          "file:PATH.",
        ],
      },
      WECHAT_PAY_APPID: { kind: text },
      WECHAT_PAY_APIV3_KEY: { kind: z.string().regex(/^[\x21-\x7e]{32}$/, "must have 32 printable characters") },
      WECHAT_PAY_PRIVATE_KEY: { kind: pem("private") },
      WECHAT_PAY_SERIAL_NO: { kind: text },
      WECHAT_PAY_PLATFORM_PUBLIC_KEY: { kind: pem("public") },
      WECHAT_PAY_PLATFORM_SERIAL: { kind: text },
      WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: {
        kind: pem("public"),
        optional: true,
        text: [
          "While WeChat Pay changes its platform key: the next one and its serial, both or none. Signatures of both keys",
          "are accepted.",
        ],
      },
      WECHAT_PAY_NEXT_PLATFORM_SERIAL: { kind: text, optional: true },
      WECHAT_PAY_BASE_URL: { kind: url("http:", "https:"), optional: true },
    },
    problems(given) {
      const { WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: nextKey, WECHAT_PAY_NEXT_PLATFORM_SERIAL: nextSerial } = given;
      if ((nextKey === undefined) !== (nextSerial === undefined))
        return [
          [
            nextKey === undefined ? "WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY" : "WECHAT_PAY_NEXT_PLATFORM_SERIAL",
            "is missing: the next platform key of WeChat Pay and its serial are set together",
          ],
        ];
      if (nextSerial !== undefined && nextSerial === given.WECHAT_PAY_PLATFORM_SERIAL)
        return [["WECHAT_PAY_NEXT_PLATFORM_SERIAL", "is the present key's: the next key has a serial of its own"]];
      return [];
    },
  },
  load: () => import("./wechat-provider.ts"),
};
