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
        "For platform nodes: the coins that the server API may adjust on one account within 24 hours, given and taken added",
        "up. An adjustment beyond them is a proposal, which moves nothing: nobody can approve it, it expires. 0: every",
        "adjustment is one. Unset: 10000.",
      ],
    },
  },
};

/** FOUR_EYES_COINS. @throws Error that lists every problem of this process's settings */
export function fourEyesCoins(): number {
  return Number(settingsOf(fourEyesSettings)?.FOUR_EYES_COINS ?? limits.platform.fourEyesCoins);
}
