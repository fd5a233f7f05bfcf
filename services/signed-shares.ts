import { createHmac } from "node:crypto";
import type { NamedKey, NamedKeys } from "../config/named-keys.ts";
import { verdictOf } from "../mixins/seals/seal-form.ts";

/**
 * The signature of a row of t_anchor_share. The gift service makes it with its key of GIFT_BOOK_KEYS, and takes no share
 * without it: whoever can write to the table alone gives nobody a share. The auditor checks it too. A change of this form
 * makes every row that exists wrong.
 */

/** What is signed. */
export interface ShareFields {
  readonly anchorId: string;
  /** Whole percent; `null`: the default (ANCHOR_SHARE_PERCENT). */
  readonly percent: number | null;
  readonly from: Date;
  /** Who wrote the row, and when. */
  readonly operator: string;
  readonly written: Date;
}

export interface SignedShare extends ShareFields {
  readonly keyName: string;
  /** Hex. */
  readonly signature: string;
}

/** `unknownKey`: this process does not have the key, so it cannot tell. */
export type ShareVerdict = "right" | "wrong" | "unknownKey";

function signatureBy({ secret }: NamedKey, { anchorId, percent, from, operator, written }: ShareFields): string {
  const text = JSON.stringify(["share1", anchorId, percent, from.toISOString(), operator, written.toISOString()]);
  return createHmac("sha256", secret).update(text).digest("hex");
}

export function signShare({ signing }: NamedKeys, share: ShareFields): SignedShare {
  return { ...share, keyName: signing.id, signature: signatureBy(signing, share) };
}

export function verdictOfShare(keys: NamedKeys, share: SignedShare): ShareVerdict {
  return verdictOf(keys, share.keyName, share.signature, (key) => signatureBy(key, share));
}
