import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { keysBlock, type NamedKey, type NamedKeys, namedKeysIn } from "../config/named-keys.ts";
import { url } from "../config/setting-kinds.ts";
import type { SettingsBlock } from "../config/settings-block.ts";

/** The keys of the seals of the ledgers. Wallet nodes seal with them, the auditor and `npm run verify` check with them. */
export const bookSettings = keysBlock({
  name: "BOOK_KEYS",
  title: "Seals of the books",
  nodes: "wallet and auditor nodes",
  most: limits.books.keysMax,
  text: [
    "The keys of the ledgers' seals, for wallet and auditor nodes alone, in the form of TOKEN_KEYS. The first key seals,",
    "all of them verify. Keep every key for ever: seals of a missing key cannot be checked.",
  ],
});

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

export type BookKey = NamedKey;
export type BookKeys = NamedKeys;

/** The keys of this process. @throws Error that lists every problem of its settings, BOOK_KEYS among them */
export function bookKeys(): BookKeys {
  return namedKeysIn(settingsOf(bookSettings)?.BOOK_KEYS ?? "");
}
