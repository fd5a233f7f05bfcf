import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

/** Of archiver nodes, and of those that read archives. */
export const archiveSettings: SettingsBlock = {
  title: "Archive of closed months",
  settings: {
    ARCHIVE: {
      kind: z.enum(["on", "off"]),
      optional: true,
      text: [
        "For archiver nodes: on or off (where it is unset). on: the trades and gift records of closed months (in",
        "PLATFORM_TIMEZONE) are moved into archive tables. Set it once every node of an earlier build is gone for good: it is",
        "a point of no return, since such a node would charge a repeat of an archived gift again (docs/releasing.md). off:",
        "nothing more is moved; what is archived is still read.",
      ],
    },
    ARCHIVE_AFTER_DAYS: {
      kind: z.string().regex(/^[1-9]\d{0,3}$/, "must be a number of days from 1 to 9999"),
      optional: true,
      text: [
        "For archiver nodes: so many days after its end a month is closed and moved. Unset: 10. A day is the least: daily",
        "comparisons and results read the hot tables.",
      ],
    },
    ARCHIVE_FILTER_MB: {
      kind: z.string().regex(/^[1-9]\d{0,5}$/, "must be a number of megabytes from 1 to 999999"),
      optional: true,
      text: [
        "For wallet and gift nodes: the memory for the filters of their archive, of all its servers together. Unset: 1024,",
        "for about 600 million archived rows. Beyond it each new gift is looked up in the oldest archives.",
      ],
    },
  },
};

/** Whether anything is moved. @throws Error that lists every problem of this process's settings */
export function archiveIsOn(): boolean {
  return settingsOf(archiveSettings)?.ARCHIVE === "on";
}

/** ARCHIVE_FILTER_MB in bytes, for each of so many servers. @throws Error that lists every problem of the settings */
export function archiveFilterBytes(servers = 1): number {
  const megabytes = Number(settingsOf(archiveSettings)?.ARCHIVE_FILTER_MB ?? limits.archive.filterMb);
  return Math.floor((megabytes * 1_048_576) / servers);
}

/** ARCHIVE_AFTER_DAYS. @throws Error that lists every problem of this process's settings */
export function archiveAfterDays(): number {
  return Number(settingsOf(archiveSettings)?.ARCHIVE_AFTER_DAYS ?? limits.archive.afterDays);
}
