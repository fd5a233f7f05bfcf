import { hash, randomBytes } from "node:crypto";

/**
 * Texts of sealed rows that may have to be erased. The text stands outside the seal, and in its place stands its digest with
 * a random salt. While the text is there it must fit the digest; where the text is empty and the salt is NULL it was erased,
 * and the digest alone stays. So whoever may erase can remove a text, and can write no other one; and nobody can guess what a
 * removed one was. Of rows of release 1, which have no digest, the text itself is sealed: it is not erased.
 */
export interface ErasableText {
  readonly text: string | null;
  readonly salt: string | null;
  /** SHA-256 of salt and text, hex. */
  readonly digest: string | null;
}

/** Hex. */
const saltChars = 32;

const nothing: ErasableText = { text: null, salt: null, digest: null };

/** A text as its row has it: in the columns `x`, `x_salt` and `x_digest`, of which the last one is sealed. */
export function erasableText(text: string | null): ErasableText {
  if (text === null) return nothing;
  const salt = randomBytes(saltChars / 2).toString("hex");
  return { text, salt, digest: hash("sha256", salt + text) };
}

/** The name of the sealed column of a text. */
export const digestOf = <Column extends string>(column: Column): `${Column}_digest` => `${column}_digest`;

/** The SQL of a sealed column: of the digest of a text the digest of what is there now. */
export function sealedValue(column: string, erasable: readonly string[] = []): string {
  const text = erasable.find((one) => digestOf(one) === column);
  if (text === undefined) return column;
  // SHA2 answers in the character set of the connection, which does not mix with that of the digest.
  // Of another length the salt may have taken letters of the text.
  const whole = `CHAR_LENGTH(${text}_salt) = ${saltChars}`;
  const there = `CONVERT(IF(${whole}, SHA2(CONCAT(${text}_salt, ${text}), 256), NULL) USING ascii)`;
  const erased = `${text}_salt IS NULL AND IFNULL(${text}, '') = ''`;
  return `IF(${column} IS NULL, ${text}, CONVERT(IF(${erased}, ${column}, ${there}) USING utf8mb4))`;
}
