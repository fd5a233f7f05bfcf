import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { keysBlock, type NamedKeys, namedKeysIn, sampleKey } from "../config/named-keys.ts";
import { serverUrl } from "../config/server-urls.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import type { SealingService } from "./book-seals.ts";

/** The services with keys of the books: those that seal rows, and the archiver, which seals segments. */
type KeyedService = SealingService | "archiver";

/** The setting with each service's keys. */
const keySettingOf = {
  wallet: "BOOK_KEYS",
  gift: "GIFT_BOOK_KEYS",
  payment: "PAYMENT_BOOK_KEYS",
  auditor: "AUDITOR_BOOK_KEYS",
  platform: "PLATFORM_BOOK_KEYS",
  staff: "STAFF_BOOK_KEYS",
  archiver: "ARCHIVER_BOOK_KEYS",
} as const satisfies Record<KeyedService, string>;

const blockOf = (service: KeyedService, title: string, text: readonly string[]) =>
  keysBlock({
    ...{ name: keySettingOf[service], title, most: limits.books.keysMax, text },
    nodes: service === "auditor" ? "auditor nodes" : `${service} and auditor nodes`,
  });

/**
 * The keys of the seals: a service has its own and seals with them. The auditor and `npm run verify` have all of them, to
 * check, so that no service can seal rows of another.
 */
export const bookSettings: Readonly<Record<KeyedService, SettingsBlock>> = {
  wallet: blockOf("wallet", "Seals of the books", [
    "The keys of the seals of the ledgers and of the wallet's audit, for wallet and auditor nodes alone, in the form of",
    "TOKEN_KEYS. The first key seals, all of them verify. Keep every key for ever: seals of a missing key cannot be",
    "checked. Each service needs keys of its own.",
  ]),
  gift: blockOf("gift", "Seals of the gift service's audit", [
    "As BOOK_KEYS, for the audit of operators' calls, and at payment also of webhooks. The first is for gift and auditor",
    "nodes, the second for payment and auditor nodes, the third for auditor nodes alone, the fourth for platform and",
    "auditor nodes, the fifth for staff and auditor nodes. The sixth, for archiver and auditor nodes, seals segments of",
    "the archive.",
  ]),
  payment: blockOf("payment", "Seals of the payment service's audits", []),
  auditor: blockOf("auditor", "Seals of the auditor's audit", []),
  platform: blockOf("platform", "Seals of the platform service's audit", []),
  staff: blockOf("staff", "Seals of the staff service's audits", []),
  archiver: blockOf("archiver", "Seals of the archive", []),
};

/** Where the auditor reads. */
export const booksReplicaSettings: SettingsBlock = {
  title: "Where the books are read",
  settings: {
    BOOKS_MYSQL_URL: {
      kind: serverUrl.MYSQL_URL,
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

export type BookKeys = NamedKeys;
export type AllBookKeys = Readonly<Record<KeyedService, BookKeys>>;

/**
 * The keys of a service, where this process has them. @throws Error that lists every problem of its settings, the keys
 * among them
 */
export function bookKeys(service: KeyedService): BookKeys {
  return namedKeysIn(settingsOf(bookSettings[service])?.[keySettingOf[service]] ?? "");
}

/**
 * The keys of all services that seal, for who checks. @throws Error as `bookKeys`, and where two services have the same
 * key: either could seal in the other's name
 */
export function allBookKeys(): Record<KeyedService, BookKeys> {
  const services = Object.keys(keySettingOf) as KeyedService[];
  const all = services.map((service) => [service, bookKeys(service)] as const);
  const owners = new Map<string, KeyedService>();
  for (const [service, { all: keys }] of all)
    for (const { secret } of keys.values()) {
      const text = secret.export().toString("base64url");
      const owner = owners.get(text) ?? service;
      if (owner !== service && !sampleKey.endsWith(text))
        throw new Error(
          `${keySettingOf[owner]} and ${keySettingOf[service]} have a key in common: each service needs its own`,
        );
      owners.set(text, owner);
    }
  return Object.fromEntries(all) as Record<KeyedService, BookKeys>;
}
