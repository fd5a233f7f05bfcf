import { createSecretKey, type KeyObject } from "node:crypto";
import { limits } from "./limits.ts";
import { namedKeys } from "./setting-kinds.ts";
import type { SettingsBlock } from "./settings-block.ts";

/** A symmetric key. Node prints nothing of a KeyObject, and its HMAC is faster than with a Buffer. */
export interface NamedKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** Keys by their names; the first one signs, all of them verify. */
export interface NamedKeys {
  readonly signing: NamedKey;
  readonly all: ReadonlyMap<string, NamedKey>;
}

/** Reads `NAME:KEY,...` as the setting has it. */
export function namedKeysIn(text: string): NamedKeys {
  const keys = text.split(",").map((entry): NamedKey => {
    const [id = "", secret = ""] = entry.split(":");
    return { id, secret: createSecretKey(secret, "base64url") };
  });
  return { signing: keys[0] as NamedKey, all: new Map(keys.map((key) => [key.id, key])) };
}

/** The key of the demonstration in docker-compose.yml, which everybody knows. */
export const sampleKey = "demonstration:the-demonstrations-key-which-everyone-knows";

interface KeysSetting {
  readonly name: string;
  readonly title: string;
  /** The nodes that need them, e.g. `gift nodes`. */
  readonly nodes: string;
  /** What they are for, and what somebody can do who has one: lines of its comment in `.env.example`. */
  readonly text: readonly string[];
}

/** The settings block of named keys: a process that reads it does not start without them. */
export function keysBlock({ name, title, nodes, text }: KeysSetting): SettingsBlock {
  const { most, minBytes, maxBytes } = limits.keys;
  return {
    title,
    neededBy: `${nodes}: NAME:KEY, the key being 32 random bytes in base64url`,
    settings: { [name]: { kind: namedKeys({ most, minBytes, maxBytes }), text } },
    problems(given, { PROFILE }) {
      const [, sample = ""] = sampleKey.split(":");
      return PROFILE === "production" && given[name]?.includes(sample)
        ? [[name, "must not have the key of the demonstration in production: everybody knows it"]]
        : [];
    },
  };
}
