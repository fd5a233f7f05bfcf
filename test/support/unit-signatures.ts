import { randomBytes } from "node:crypto";
import { namedKeysIn } from "../../config/named-keys.ts";
import { messageSignatures } from "../../mixins/jetstream/signatures.ts";

export const newKeys = (id = "k1") => `${id}:${randomBytes(32).toString("base64url")}`;

/** Signatures for tests without settings, in namespace `unit`. */
export function unitSignatures(signer = "gift", keys = newKeys()) {
  return messageSignatures({ setting: "KEYS", keys: namedKeysIn(keys), signer, namespace: "unit", prefix: "unit_" });
}
