import { limits } from "../../config/limits.ts";
import { firstOfBothSince } from "../../mixins/archive/first-of-both.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../archived-tables.ts";
import { newestFirst } from "../newest-first.ts";
import { serverOfId } from "../wallet-servers.ts";
import type { GiftRecord } from "./gift.contract.ts";
import { hasSent, type ListedRecord, type RecordsAsked, readRecords, timesOf } from "./gift-store.ts";
import type { AskedServers, RecordServer } from "./record-server.ts";

export interface RecordsPage {
  readonly list: GiftRecord[];
  readonly nextCursor: string | null;
}

interface Row extends ListedRecord {
  readonly id: string;
}

/**
 * A page of a user's records, newest first. Sent gifts are joined by the times at which they were settled, received ones by
 * those at which they were sent: on each server the order of an index, so no page sorts all gifts of a user. A cursor is an
 * id, whose record has the times. Fails: unavailable, where a server that may have some is away.
 */
export async function recordsPage(servers: AskedServers, asked: RecordsAsked): Promise<RecordsPage> {
  const { cursor, limit, direction } = asked;
  const own = cursor === undefined ? undefined : servers.all.find(({ number }) => number === serverOfId(cursor));
  const isJoined = cursor !== undefined && servers.all.length > 1;
  const at = isJoined && own ? await servers.at(own.name, (db) => timesOf(db, cursor)) : undefined;
  if (isJoined && !at) return { list: [], nextCursor: null };
  const readOn = async (db: Queryable, server: RecordServer): Promise<Row[]> => {
    const elsewhere = at && server !== own ? { ...at, end: await endAt(db, asked, at.settled) } : undefined;
    return (await readRecords(db, { ...asked, elsewhere })).map((row) => ({ ...row, id: row.record.id }));
  };
  const isSent = direction === "sent";
  const pages = await servers.eachThatMatters(readOn, isSent ? asked.userId : undefined, () => false);
  const timeOf = isSent ? ({ settled }: Row) => settled.toISOString() : ({ record }: Row) => record.time;
  const rows = newestFirst(pages, timeOf, limit + 1);
  const list = rows.slice(0, limit).map(({ record }) => record);
  return { list, nextCursor: rows.length > limit ? (list.at(-1)?.id ?? null) : null };
}

/** The first id of a server that is newer than a time, and some more, since rows are written side by side. */
async function endAt(db: Queryable, { userId, direction }: RecordsAsked, settled: Date): Promise<bigint> {
  if (direction === "received" || !(await hasSent(db, userId))) return 0n;
  return firstOfBothSince(db, archivedRecords, new Date(settled.getTime() + limits.gift.recordsBesideMs));
}
