import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

const defaultZone = "Asia/Shanghai";

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** Of gateways (RANKS), rank nodes, battle nodes (RANKS) and provisioners (RANKS). */
export const rankSettings: SettingsBlock = {
  title: "Ranks",
  settings: {
    RANKS: {
      kind: z.enum(["on", "off"]),
      optional: true,
      text: [
        "on (where it is unset) or off, for gateways, rank nodes, battle nodes and provisioners alike. off: no lists of",
        "givers: the paths live/api/rank/... answer 404 and are not documented, nothing is counted, and battles name no top",
        "senders. What was counted stays until somebody drops the database of the service rank.",
      ],
    },
    PLATFORM_TIMEZONE: {
      kind: z.string().refine(isTimeZone, "must be a time zone like Asia/Shanghai"),
      optional: true,
      text: [
        "For rank nodes: the time zone whose midnight begins a day, a week (on Monday) and a month of the ranks. Unset:",
        `${defaultZone}. It is stored with the sums: after a change run npm run ranks -- rebuild --anew. For archiver nodes:`,
        "that of the months that are moved into the archive.",
      ],
    },
  },
};

/** Whether the system has ranks. @throws Error that lists every problem of this process's settings */
export function ranksAreOn(): boolean {
  return settingsOf(rankSettings)?.RANKS !== "off";
}

/** PLATFORM_TIMEZONE. @throws Error that lists every problem of this process's settings */
export function platformTimeZone(): string {
  return settingsOf(rankSettings)?.PLATFORM_TIMEZONE ?? defaultZone;
}
