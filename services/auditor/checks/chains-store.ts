import { type Queryable, toSafeInteger } from "../../../mixins/mysql/database.ts";
import { firstIdSince } from "../../../mixins/mysql/first-id-since.ts";
import type { ChainHead } from "../../../mixins/seals/seal-form.ts";
import { type CheckpointRow, type ReadCheckpoint, readCheckpoint } from "../../../mixins/seals/seal-store.ts";
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
  ...{ writer, number: Number(number), previous: previous.toString("hex"), digest: digest.toString("hex") },
});

/** A seal whose number no chain reaches: nobody who has a key wrote it. */
export type NoLink = Readonly<Record<"writer" | "number", string>>;

/** What a page has: `unreadable` come last in their chains. */
interface Links {
  readonly links: Link[];
  readonly unreadable: NoLink[];
}

const isReadable = ({ number }: Pick<LinkRow, "number">) => Number.isSafeInteger(Number(number));
const last = Number.MAX_SAFE_INTEGER;

const linksOf = (rows: readonly LinkRow[]): Links => ({
  links: rows.filter(isReadable).map(toLink),
  unreadable: rows.filter((row) => !isReadable(row)).map(({ writer, number }) => ({ writer, number: String(number) })),
});

/** The next links, chain by chain, and the place of the last one; `null` where there are no more. */
export async function linksAfter(
  db: Queryable,
  service: SealingService,
  writer: string,
  number: string,
  limit: number,
): Promise<Links & { readonly next: NoLink | null }> {
  const rows = await db.query<LinkRow>(
    `SELECT writer, number, previous, digest FROM ${sealsOf(service)}
     WHERE writer > ? OR (writer = ? AND number > ?) ORDER BY writer, number LIMIT ?`,
    [writer, writer, number, limit],
  );
  const end = rows.at(-1);
  return {
    ...linksOf(rows),
    next: end && rows.length === limit ? { writer: end.writer, number: String(end.number) } : null,
  };
}

/** The id before the first link of a time or later. */
export async function linkIdBefore(db: Queryable, service: SealingService, since: Date): Promise<string> {
  const first = await firstIdSince(db, { table: sealsOf(service), column: "rows_time" }, since);
  return String(first > 0n ? first - 1n : 0n);
}

/** The next links by their ids, sorted chain by chain, and the last of these ids; `null` where there are no more. */
export async function newLinks(
  db: Queryable,
  service: SealingService,
  from: string,
  limit: number,
): Promise<Links & { readonly last: string | null }> {
  const rows = await db.query<LinkRow & { id: string }>(
    `SELECT id, writer, number, previous, digest FROM ${sealsOf(service)} WHERE id > ? ORDER BY id LIMIT ?`,
    [from, limit],
  );
  const { links, unreadable } = linksOf(rows);
  links.sort((a, b) => (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : a.number - b.number));
  return { links, unreadable, last: rows.length === limit ? String(rows.at(-1)?.id) : null };
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

/** The last seals that are there of these chains: number and digest. */
export async function lastLinksOf(
  db: Queryable,
  service: SealingService,
  writers: readonly string[],
): Promise<Map<string, ChainHead>> {
  if (writers.length === 0) return new Map();
  const rows = await db.query<LinkRow>(
    `SELECT s.writer, s.number, s.previous, s.digest FROM ${sealsOf(service)} s
       JOIN (SELECT writer, MAX(number) AS number FROM ${sealsOf(service)} WHERE writer IN (?) AND number <= ?
         GROUP BY writer) h ON h.writer = s.writer AND h.number = s.number`,
    [writers, last],
  );
  return new Map(rows.map((row) => [row.writer, toLink(row)]));
}

/** A row of t_ledger_checkpoint. */
export interface StoredCheckpoint extends ReadCheckpoint {
  readonly keyName: string;
}

/** The checkpoints from the last one up to the number `from` on, and where the next page begins. Those that nobody who has a key wrote are `unreadable`, by number. */
export async function checkpointsAfter(
  db: Queryable,
  service: SealingService,
  from: string,
  limit: number,
): Promise<{ all: StoredCheckpoint[]; unreadable: string[]; next: string | null }> {
  const rows = await db.query<CheckpointRow & { key_name: string }>(
    `SELECT number, previous, digest, key_name, heads FROM ${checkpointsOf(service)}
     WHERE number >= COALESCE((SELECT MAX(number) FROM ${checkpointsOf(service)} WHERE number <= ?), 0)
     ORDER BY number LIMIT ?`,
    [from, limit + 1],
  );
  const all: StoredCheckpoint[] = [];
  const unreadable: string[] = [];
  for (const row of rows) {
    const read = readCheckpoint(row);
    if (read) all.push({ ...read, keyName: row.key_name });
    else unreadable.push(String(row.number));
  }
  return { all, unreadable, next: rows.length > limit ? String(rows.at(-1)?.number) : null };
}

/** The number of the first checkpoint of a time or later, or else of the last one; 0 where there is none. */
export async function checkpointSince(db: Queryable, service: SealingService, since: Date): Promise<number> {
  const [row] = await db.query<{ number: string | null }>(
    `SELECT COALESCE((SELECT MIN(number) FROM ${checkpointsOf(service)} WHERE create_time >= ? AND number <= ?),
       (SELECT MAX(number) FROM ${checkpointsOf(service)} WHERE number <= ?)) AS number`,
    [since, last, last],
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
    `SELECT writer, number, rows_time FROM ${sealsOf(service)} WHERE id < ? AND number <= ? ORDER BY id DESC LIMIT 1`,
    [String(end), last],
  );
  return row && { writer: row.writer, number: toSafeInteger(row.number), time: row.rows_time };
}
