import { z } from "zod";
import type { Log } from "../broker/log.ts";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { formerNamesIn, type SettingsBlock } from "../config/settings-block.ts";

const days = z.string().regex(/^\d{1,5}$/, "must be a number of days, 0 for ever");

/** Of staff and payment nodes. */
export const retentionSettings: SettingsBlock = {
  title: "Retention",
  settings: {
    AUDIT_KEEP_DAYS: {
      kind: days,
      optional: true,
      text: [
        "For staff nodes: after so many days the params of what staff asked for leave the audit; who asked for what, when",
        "and about whom stays, with its seal. 0: they stay for ever. Unset: 1095.",
      ],
    },
    PROVIDER_WEBHOOK_KEEP_DAYS: {
      kind: days,
      optional: true,
      formerly: "PROVIDER_NOTICE_KEEP_DAYS",
      text: [
        "For payment nodes: after so many days the bodies of the payment providers' webhooks, which may name the payer, and",
        "the addresses they came from are removed; their outcomes stay, with their seals. 0: they stay for ever. Unset: 400.",
      ],
    },
  },
};

/** AUDIT_KEEP_DAYS; 0: for ever. @throws Error that lists every problem of this process's settings */
export function auditKeepDays(): number {
  return Number(settingsOf(retentionSettings)?.AUDIT_KEEP_DAYS ?? limits.retention.auditDays);
}

/** PROVIDER_WEBHOOK_KEEP_DAYS; 0: for ever. @throws Error that lists every problem of this process's settings */
export function providerWebhookKeepDays(log: Pick<Log, "warn">): number {
  const days = Number(
    settingsOf(retentionSettings)?.PROVIDER_WEBHOOK_KEEP_DAYS ?? limits.retention.providerWebhookDays,
  );
  for (const { former, name } of formerNamesIn(retentionSettings, process.env))
    log.warn({ setting: former }, `${former} is read for this release alone: rename it to ${name}`);
  return days;
}
