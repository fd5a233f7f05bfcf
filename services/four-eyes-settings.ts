import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

/** Of platform nodes. */
export const fourEyesSettings: SettingsBlock = {
  title: "Four eyes",
  settings: {
    FOUR_EYES_COINS: {
      kind: z.string().regex(/^\d{1,15}$/, "must be a number of coins, 0 or more"),
      optional: true,
      text: [
        "For platform nodes, which add up for staff nodes too: the coins that may be moved by hand on one account within 24",
        "hours without a second person: what API keys adjust and what staff refunds, releases, adjusts, pays out, holds and",
        "gives back, all magnitudes added up, points rounded up. What goes beyond them is a proposal, which moves nothing",
        "until another person of the staff approves it, and expires after 72 hours. 0: every move is one. Unset: 10000.",
      ],
    },
  },
};

/** FOUR_EYES_COINS. @throws Error that lists every problem of this process's settings */
export function fourEyesCoins(): number {
  return Number(settingsOf(fourEyesSettings)?.FOUR_EYES_COINS ?? limits.platform.fourEyesCoins);
}
