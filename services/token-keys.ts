import { createSecretKey } from "node:crypto";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { namedKeys } from "../config/setting-kinds.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import type { TokenKey } from "./tokens.ts";

const { tokenKeysMax: most, tokenKeyMinBytes: minBytes, tokenKeyMaxBytes: maxBytes } = limits.user;

/** The key of the demonstration in docker-compose.yml, which everybody knows. */
export const sampleTokenKey = "demonstration:the-demonstrations-key-which-everyone-knows";

/** The keys of the login tokens. User nodes sign with them, gateway nodes verify; other nodes do not need them. */
export const tokenSettings: SettingsBlock = {
  title: "Login tokens",
  neededBy: "user and api-gateway nodes: NAME:KEY, the key being 32 random bytes in base64url",
  settings: {
    TOKEN_KEYS: {
      kind: namedKeys({ most, minBytes, maxBytes }),
      text: [
        "The keys of login tokens, for user and api-gateway nodes alone: NAME:KEY,NAME:KEY, or file:PATH of a file",
        "that contains this. A key is 32 or more random bytes in base64url, a name is 1 to 16 of A-Z a-z 0-9 _ -.",
        "The first key signs, all of them verify. Whoever has a key can log in as anybody. To make one:",
        `node -p "'k1:' + crypto.randomBytes(32).toString('base64url')"`,
      ],
    },
  },
  problems({ TOKEN_KEYS = "" }, { PROFILE }) {
    const [, sample = ""] = sampleTokenKey.split(":");
    return PROFILE === "production" && TOKEN_KEYS.includes(sample)
      ? [["TOKEN_KEYS", "must not have the key of the demonstration in production: everybody knows it"]]
      : [];
  },
};

/** The keys by their names; the first one signs. */
export interface TokenKeys {
  readonly signing: TokenKey;
  readonly all: ReadonlyMap<string, TokenKey>;
}

/** Reads `NAME:KEY,...` as the setting has it. */
export function tokenKeysIn(text: string): TokenKeys {
  const keys = text.split(",").map((entry): TokenKey => {
    const [id = "", secret = ""] = entry.split(":");
    return { id, secret: createSecretKey(secret, "base64url") };
  });
  return { signing: keys[0] as TokenKey, all: new Map(keys.map((key) => [key.id, key])) };
}

/** The keys of this process. @throws Error that lists every problem of its settings, TOKEN_KEYS among them */
export function tokenKeys(): TokenKeys {
  return tokenKeysIn(settingsOf(tokenSettings)?.TOKEN_KEYS ?? "");
}
