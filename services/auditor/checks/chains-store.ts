import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import type { ChainHead } from "../../../mixins/seals/seal-form.ts";
import type { SealingService } from "../../book-seals.ts";
import { tableOf } from "./seal-source.ts";

/** SQL of the chains of seals of a service and of their checkpoints. Digests are hex. */

const sealsOf = (service: SealingService) => tableOf(service, "t_ledger_seal");
const checkpointsOf = (service: SealingService) => tableOf(service, "t_ledger_checkpoint");

/** A seal as a link of its chain. */
export interface Link extends ChainHead {
  readonly previous: string;
}

interface LinkRow {
  writer: string;
  number: string;
  previous: Buffer;
  digest: Buffer;
}

const toLink = ({ writer, number, previous, digest }: LinkRow): Link => ({
  ...{ writer, number: toSafeInteger(number), previous: previous.toString("hex"), digest: digest.toString("hex") },
});

/** The next links, chain by chain. */
export async function linksAfter(
  db: Queryable,
  service: SealingService,
  writer: string,
  number: number,
  limit: number,
): Promise<Link[]> {
  const rows = await db.query<LinkRow>(
    `SELECT writer, number, previous, digest FROM ${sealsOf(service)}
     WHERE writer > ? OR (writer = ? AND number > ?) ORDER BY writer, number LIMIT ?`,
    [writer, writer, number, limit],
  );
  return rows.map(toLink);
}

/** The id before the first link of a time or later. */
export async function linkIdBefore(db: Queryable, service: SealingService, since: Date): Promise<string> {
  const first = await firstIdSince(db, { table: sealsOf(service), column: "rows_time" }, since);
  return String(first > 0n ? first - 1n : 0n);
}

/** The next links by their ids, sorted chain by chain, and the last of these ids; `null` where there are none. */
export async function newLinks(
  db: Queryable,
  service: SealingService,
  from: string,
  limit: number,
): Promise<{ links: Link[]; last: string | null }> {
  const rows = await db.query<LinkRow & { id: string }>(
    `SELECT id, writer, number, previous, digest FROM ${sealsOf(service)} WHERE id > ? ORDER BY id LIMIT ?`,
    [from, limit],
  );
  const links = rows
    .map(toLink)
    .sort((a, b) => (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : a.number - b.number));
  return { links, last: rows.length > 0 ? String(rows.at(-1)?.id) : null };
}

/** The digests of seals, by `writer/number`. */
export async function digestsOf(
  db: Queryable,
  service: SealingService,
  seals: readonly Pick<ChainHead, "writer" | "number">[],
): Promise<Map<string, string>> {
  if (seals.length === 0) return new Map();
  const rows = await db.query<LinkRow>(
    `SELECT writer, number, previous, digest FROM ${sealsOf(service)}
     WHERE ${seals.map(() => "(writer = ? AND number = ?)").join(" OR ")}`,
    seals.flatMap(({ writer, number }) => [writer, number]),
  );
  return new Map(rows.map(toLink).map(({ writer, number, digest }) => [`${writer}/${number}`, digest]));
}

/** A row of t_ledger_checkpoint. */
export interface StoredCheckpoint {
  readonly number: number;
  readonly previous: string;
  readonly digest: string;
  readonly keyName: string;
  readonly heads: readonly ChainHead[];
}

/** The checkpoints with numbers above `from`, and the one before them where there is one. */
export async function checkpointsAfter(
  db: Queryable,
  service: SealingService,
  from: number,
  limit: number,
): Promise<StoredCheckpoint[]> {
  const rows = await db.query<Omit<LinkRow, "writer"> & { key_name: string; heads: unknown }>(
    `SELECT number, previous, digest, key_name, heads FROM ${checkpointsOf(service)} WHERE number >= ? ORDER BY number LIMIT ?`,
    [from, limit + 1],
  );
  return rows.map(({ number, previous, digest, key_name, heads }) => ({
    ...{ number: toSafeInteger(number), previous: previous.toString("hex"), digest: digest.toString("hex") },
    ...{ keyName: key_name, heads: (typeof heads === "string" ? JSON.parse(heads) : heads) as ChainHead[] },
  }));
}

/** The number of the first checkpoint of a time or later, or else of the last one; 0 where there is none. */
export async function checkpointSince(db: Queryable, service: SealingService, since: Date): Promise<number> {
  const [row] = await db.query<{ number: string | null }>(
    `SELECT COALESCE((SELECT MIN(number) FROM ${checkpointsOf(service)} WHERE create_time >= ?),
       (SELECT MAX(number) FROM ${checkpointsOf(service)})) AS number`,
    [since],
  );
  return toSafeInteger(row?.number ?? 0);
}

/** The newest seal of before a time. */
export async function newestSealBefore(
  db: Queryable,
  service: SealingService,
  time: Date,
): Promise<{ writer: string; number: number; time: Date } | undefined> {
  const end = await firstIdSince(db, { table: sealsOf(service), column: "rows_time" }, time);
  const [row] = await db.query<{ writer: string; number: string; rows_time: Date }>(
    `SELECT writer, number, rows_time FROM ${sealsOf(service)} WHERE id < ? ORDER BY id DESC LIMIT 1`,
    [String(end)],
  );
  return row && { writer: row.writer, number: toSafeInteger(row.number), time: row.rows_time };
}
