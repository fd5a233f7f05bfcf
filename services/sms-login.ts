import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

/** Of gateways, user nodes and notification nodes. */
export const smsLoginSettings: SettingsBlock = {
  title: "Logins by SMS",
  settings: {
    SMS_LOGIN: {
      kind: z.enum(["on", "off"]),
      optional: true,
      text: [
        "on (where it is unset) or off, for gateways, user nodes and notification nodes alike. off: only users of the",
        "platform log in, by JWT. userLogin/sendLoginCode and userLogin/login answer 404 and are not documented, the page",
        "has no phone form, and no SMS provider is needed. Logins that are open stay valid.",
      ],
    },
  },
};

/** Whether people log in by SMS. @throws Error that lists every problem of this process's settings */
export function smsLoginIsOn(): boolean {
  return settingsOf(smsLoginSettings)?.SMS_LOGIN !== "off";
}
