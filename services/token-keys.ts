import { settingsOf } from "../config/config.ts";
import { keysBlock, type NamedKeys, namedKeysIn } from "../config/named-keys.ts";

/**
 * The keys of the login tokens. User nodes sign with them, gateway nodes verify; other nodes do not need them. User
 * nodes also hash login codes with them.
 */
export const tokenSettings = keysBlock({
  name: "TOKEN_KEYS",
  title: "Login tokens",
  nodes: "user and api-gateway nodes",
  text: [
    "The keys of login tokens, for user and api-gateway nodes alone: NAME:KEY,NAME:KEY, or file:PATH of a file",
    "that contains this. A key is 32 or more random bytes in base64url, a name is 1 to 16 of A-Z a-z 0-9 _ -.",
    "The first key signs, all of them verify. Whoever has a key can log in as anybody. To make one:",
    `node -p "'k1:' + crypto.randomBytes(32).toString('base64url')"`,
  ],
});

export type TokenKeys = NamedKeys;

/** The keys of this process. @throws Error that lists every problem of its settings, TOKEN_KEYS among them */
export function tokenKeys(): TokenKeys {
  return namedKeysIn(settingsOf(tokenSettings)?.TOKEN_KEYS ?? "");
}
