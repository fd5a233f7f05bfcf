import { createHmac, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";

/**
 * The form of the seals of tables whose rows are only added. The services that write these tables write seals, the
 * auditor checks them. A change of this form makes every seal that exists wrong: give it another `version`.
 */

const version = "seal1";

/** A table whose rows are sealed. */
export interface SealedLedger {
  /** The service that writes it, with keys of its own. */
  readonly service: string;
  /** Its number in t_ledger_seal, another one for each ledger of the system. */
  readonly book: number;
  readonly table: string;
  /**
   * The columns in the seal. Left out: what may have to be erased, and what the database derives. create_time is in the
   * seal once for all its rows.
   */
  readonly columns: readonly string[];
  /** Texts that may be erased: of each the column `<text>_digest` is in `columns` (erasable-text.ts). */
  readonly erasable?: readonly string[];
  /**
   * What the seal adds up, in coins or points: a column, counted where `valid` says so. `null`: nothing, so that its rows
   * are always read themselves.
   */
  readonly sumOf: string | null;
  readonly valid: string;
}

/** The values of a sealed row, in the order of `columns`. */
export type RowValues = readonly (string | number | bigint | null)[];

/** Neither character is in a business id, an id or a reason. SQL of the auditor makes the same text. */
export const valueSeparator = "\t";
export const rowSeparator = "\n";

/** The text of a row; NULL is empty, as `join` has it. */
export const rowText = (values: RowValues): string => values.join(valueSeparator);

/** SHA-256 of the rows' texts, hex. */
export const rowsDigest = (texts: readonly string[]): string => hash("sha256", texts.join(rowSeparator));

/**
 * A checksum of 4 bytes for each row, one after the other. The digest decides whether rows were changed; these tell
 * which ones.
 */
export function rowTags(texts: readonly string[]): Buffer {
  const tags = Buffer.allocUnsafe(texts.length * 4);
  for (const [at, text] of texts.entries()) tags.writeUInt32BE(crc32(text), at * 4);
  return tags;
}

/** The places of the rows whose tags differ. */
export function differingRows(tags: Buffer, texts: readonly string[]): number[] {
  return texts.flatMap((text, at) =>
    tags.length >= at * 4 + 4 && tags.readUInt32BE(at * 4) === crc32(text) ? [] : [at],
  );
}

/** What the digest of a seal is of. Digests are hex. */
export interface SealFields {
  /** The service whose rows these are: no service can seal those of another. */
  readonly service: string;
  /** The chain: one lane of one run of one process. */
  readonly writer: string;
  /** 1, 2, 3, ... in its chain. */
  readonly number: number;
  /** The digest of the seal before it in the chain. */
  readonly previous: string;
  readonly book: number;
  readonly firstId: string;
  readonly rows: number;
  readonly sum: string;
  /** create_time of all its rows, `2026-11-26 12:00:00.000`. */
  readonly rowsTime: string;
  readonly rowsDigest: string;
}

/** What comes before the first seal of a chain, and before the first checkpoint. */
export const noDigest = "0".repeat(64);

function mac({ secret }: NamedKey, parts: readonly unknown[]): string {
  return createHmac("sha256", secret).update(parts.join(valueSeparator)).digest("hex");
}

/** A seal as it is read may have a number as text. */
export function sealDigest(
  key: NamedKey,
  seal: Omit<SealFields, "number"> & { readonly number: number | string },
): string {
  const { service, writer, number, previous, book, firstId, rows, sum, rowsTime, rowsDigest: rowsHash } = seal;
  return mac(key, [version, service, writer, number, previous, book, firstId, rows, sum, rowsTime, rowsHash]);
}

/** The last seal of a chain: as t_ledger_checkpoint and the events of `sealedEvent` have it. */
export interface ChainHead {
  readonly writer: string;
  readonly number: number;
  readonly digest: string;
}

export interface CheckpointFields {
  readonly service: string;
  readonly number: number;
  readonly previous: string;
  readonly heads: readonly ChainHead[];
}

export function checkpointDigest(key: NamedKey, { service, number, previous, heads }: CheckpointFields): string {
  const parts = heads.map((head) => [head.writer, head.number, head.digest].join(":"));
  return mac(key, ["checkpoint1", service, number, previous, ...parts]);
}

/** Whether a digest is that of its key; `unknownKey` where this process does not have the key. */
export function verdictOf(
  keys: NamedKeys,
  keyName: string,
  digest: string,
  digestOf: (key: NamedKey) => string,
): "right" | "wrong" | "unknownKey" {
  const key = keys.all.get(keyName);
  if (!key) return "unknownKey";
  return digestOf(key) === digest ? "right" : "wrong";
}
