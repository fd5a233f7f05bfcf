import { settingsOf } from "../config/config.ts";
import { keysBlock, type NamedKeys, namedKeysIn } from "../config/named-keys.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import { operatorTokenProblems } from "./operator-token.ts";

/**
 * The keys with which the secrets of authenticator apps are sealed in the database, and from which those are derived that
 * prove sessions and setup codes. Staff nodes alone need them; in production they refuse OPERATOR_TOKEN.
 */
export const staffKeySettings: SettingsBlock = {
  ...keysBlock({
    name: "STAFF_KEYS",
    title: "Secrets of authenticator apps",
    nodes: "staff nodes",
    text: [
      "The keys with which the secrets of authenticator apps are encrypted in the database, for staff nodes alone, in the form",
      "of TOKEN_KEYS. The first key encrypts, all of them decrypt. A key must stay in the list until everybody whose secret",
      "was made with it was reset, and for a day: keys derived from them prove sessions and setup codes.",
    ],
  }),
  needs: operatorTokenProblems,
};

/** The keys of this process. @throws Error that lists every problem of its settings, STAFF_KEYS among them */
export function staffKeys(): NamedKeys {
  return namedKeysIn(settingsOf(staffKeySettings)?.STAFF_KEYS ?? "");
}
