import { createSecretKey, type KeyObject } from "node:crypto";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { namedKeys, url } from "../config/setting-kinds.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

const { keysMax: most, keyMinBytes: minBytes, keyMaxBytes: maxBytes } = limits.books;

/** The key of the demonstration in docker-compose.yml, which everybody knows. */
export const sampleBookKey = "demonstration:the-seals-of-the-demonstration-fool-nobody--";

/** The keys of the seals of the ledgers. Wallet nodes seal with them, the auditor and `npm run verify` check with them. */
export const bookSettings: SettingsBlock = {
  title: "Seals of the books",
  neededBy: "wallet and auditor nodes: NAME:KEY, the key being 32 random bytes in base64url",
  settings: {
    BOOK_KEYS: {
      kind: namedKeys({ most, minBytes, maxBytes }),
      text: [
        "The keys of the ledgers' seals, for wallet and auditor nodes alone: NAME:KEY,NAME:KEY, or file:PATH of a file",
        "that contains this. A key is 32 or more random bytes in base64url, a name is 1 to 16 of A-Z a-z 0-9 _ -.",
        "The first key seals, all of them verify. Keep every key for ever: seals of a missing key cannot be checked.",
        `To make one: node -p "'b1:' + crypto.randomBytes(32).toString('base64url')"`,
      ],
    },
  },
  problems({ BOOK_KEYS = "" }, { PROFILE }) {
    const [, sample = ""] = sampleBookKey.split(":");
    return PROFILE === "production" && BOOK_KEYS.includes(sample)
      ? [["BOOK_KEYS", "must not have the key of the demonstration in production: everybody knows it"]]
      : [];
  },
};

/** Where the auditor reads. */
export const booksReplicaSettings: SettingsBlock = {
  title: "Where the books are read",
  settings: {
    BOOKS_MYSQL_URL: {
      kind: url("mysql:", "mariadb:"),
      optional: true,
      text: [
        "For auditor nodes alone: where they read the other services' databases, e.g. a replica, with a login that may",
        "only SELECT. Unset: at MYSQL_URL, where the auditor's own database is.",
      ],
    },
  },
};

/** The URL of the server where the books are read; `undefined`: where the auditor's own database is. */
export function booksReplicaUrl(): string | undefined {
  return settingsOf(booksReplicaSettings)?.BOOKS_MYSQL_URL;
}

export interface BookKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** The keys by their names; the first one seals. */
export interface BookKeys {
  readonly sealing: BookKey;
  readonly all: ReadonlyMap<string, BookKey>;
}

/** Reads `NAME:KEY,...` as the setting has it. */
export function bookKeysIn(text: string): BookKeys {
  const keys = text.split(",").map((entry): BookKey => {
    const [id = "", secret = ""] = entry.split(":");
    return { id, secret: createSecretKey(secret, "base64url") };
  });
  return { sealing: keys[0] as BookKey, all: new Map(keys.map((key) => [key.id, key])) };
}

/** The keys of this process. @throws Error that lists every problem of its settings, BOOK_KEYS among them */
export function bookKeys(): BookKeys {
  return bookKeysIn(settingsOf(bookSettings)?.BOOK_KEYS ?? "");
}
