import { z } from "zod";
import { settingsOf } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { plaintextHost } from "../../../config/plaintext.ts";
import type { SettingProblem, SettingsBlock } from "../../../config/settings-block.ts";
import { problemOfUrl } from "../../../mixins/outgoing/outgoing-url.ts";

const { timeoutMinMs, timeoutMaxMs } = limits.gift.gate;
const defaultTimeoutMs = 200;

const url = z.string().transform((text, ctx) => {
  const problem = problemOfUrl(text, "any");
  if (problem === undefined) return text;
  ctx.addIssue({ code: "custom", message: problem });
  return z.NEVER;
});

const milliseconds = z
  .string()
  .refine(
    (text) => /^\d{1,5}$/.test(text) && Number(text) >= timeoutMinMs && Number(text) <= timeoutMaxMs,
    `must be ${timeoutMinMs} to ${timeoutMaxMs}`,
  );

/** The base64 of 24 to 64 bytes, as Standard Webhooks wants them. */
const webhookSecret = z.string().refine((text) => {
  const base64 = text.replace(/^whsec_/, "");
  const bytes = Buffer.from(base64, "base64");
  return text.startsWith("whsec_") && bytes.toString("base64") === base64 && bytes.length >= 24 && bytes.length <= 64;
}, "must be whsec_ and 24 to 64 random bytes in base64");

/** Of gift nodes. */
export const gateSettings: SettingsBlock = {
  title: "The gate",
  settings: {
    GIFT_GATE_URL: {
      kind: url,
      text: [
        "For gift nodes: where the platform is asked about gifts before they are accepted (docs/operating.md, The gate).",
        "Unset: it is not asked. http is for private networks; the address may be private.",
      ],
    },
    GIFT_GATE_TIMEOUT_MS: {
      kind: milliseconds,
      optional: true,
      alone: true,
      text: [
        `Within this time it must have answered, ms: ${timeoutMinMs} to ${timeoutMaxMs}, and at most a quarter of CALL_TIMEOUT_MS.`,
        `Unset: ${defaultTimeoutMs}.`,
      ],
    },
    GIFT_GATE_ON_FAILURE: {
      kind: z.enum(["accept", "refuse"]),
      optional: true,
      alone: true,
      text: [
        "What happens to a gift about which it does not answer in time, or not properly: accept (where it is unset), or",
        "refuse: the gift is answered 503 and can be sent again.",
      ],
    },
    GIFT_GATE_SECRET: {
      kind: webhookSecret,
      optional: true,
      alone: true,
      text: [
        "Signs the calls by the Standard Webhooks rules: whsec_ and 32 random bytes in base64. Needed in production, where",
        "GIFT_GATE_URL is set.",
      ],
    },
  },
  problems({ GIFT_GATE_URL = "", GIFT_GATE_TIMEOUT_MS, GIFT_GATE_SECRET }, base) {
    const found: SettingProblem[] = [];
    const mostMs = base.CALL_TIMEOUT_MS * limits.gift.questionShareOfTimeout;
    if (Number(GIFT_GATE_TIMEOUT_MS ?? defaultTimeoutMs) > mostMs)
      found.push(["GIFT_GATE_TIMEOUT_MS", `must be at most ${mostMs}, a quarter of CALL_TIMEOUT_MS`]);
    if (base.PROFILE !== "production") return found;
    if (!GIFT_GATE_SECRET) found.push(["GIFT_GATE_SECRET", "is needed in production: the gate must know who asks"]);
    const host = plaintextHost(GIFT_GATE_URL, base.PLAINTEXT_HOSTS);
    if (host !== undefined)
      found.push([
        "GIFT_GATE_URL",
        `leads in clear to ${host}, which is not known to be in a private network: use https, or name the host in ` +
          "PLAINTEXT_HOSTS where nobody else can listen on the way",
      ]);
    return found;
  },
};

/** How the gate is asked. */
export interface GateSettings {
  readonly url: string;
  readonly timeoutMs: number;
  readonly onFailure: "accept" | "refuse";
  /** `whsec_`; `undefined`: the calls are not signed. */
  readonly secret: string | undefined;
}

/** `undefined` where there is no gate. @throws Error that lists every problem of this process's settings */
export function readGateSettings(): GateSettings | undefined {
  const given = settingsOf(gateSettings);
  if (!given?.GIFT_GATE_URL) return undefined;
  return {
    url: given.GIFT_GATE_URL,
    timeoutMs: Number(given.GIFT_GATE_TIMEOUT_MS ?? defaultTimeoutMs),
    onFailure: given.GIFT_GATE_ON_FAILURE === "refuse" ? "refuse" : "accept",
    secret: given.GIFT_GATE_SECRET,
  };
}
