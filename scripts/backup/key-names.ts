import { createHmac } from "node:crypto";
import { type NamedKeys, namedKeysIn } from "../../config/named-keys.ts";
import { keySettings } from "../../config/process-settings.ts";

/**
 * The keys of seals, messages and tokens are in no backup. Their names are, with a digest of each, so that a restore
 * tells whether this process has the same ones.
 */

type KeyNames = Record<string, Record<string, string>>;

/** It tells one key from another, and nothing about the key, which is 32 random bytes. */
const digestOf = ({ all }: NamedKeys, id: string): string =>
  createHmac("sha256", all.get(id)?.secret as never)
    .update("ovation backup: which key")
    .digest("hex")
    .slice(0, 16);

/** Those that this process has. */
export function keyNames(env: Readonly<Record<string, string | undefined>>): KeyNames {
  const names: KeyNames = {};
  for (const setting of keySettings) {
    const text = env[setting];
    if (!text) continue;
    const keys = namedKeysIn(text);
    names[setting] = Object.fromEntries([...keys.all.keys()].map((id) => [id, digestOf(keys, id)]));
  }
  return names;
}

/** The keys of the backup that this process lacks, or of which it has another one: `SETTING: NAME`. */
export function missingKeys(wanted: KeyNames, there: KeyNames): string[] {
  return Object.entries(wanted).flatMap(([setting, keys]) =>
    Object.entries(keys).flatMap(([id, digest]) => {
      const own = there[setting]?.[id];
      if (own === digest) return [];
      return [`${setting}: ${id}${own === undefined ? "" : ", which is another key here"}`];
    }),
  );
}
