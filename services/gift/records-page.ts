import { limits } from "../../config/limits.ts";
import { firstOfBothSince } from "../../mixins/archive/first-of-both.ts";
import { whilePresent } from "../../mixins/mysql/server-presence.ts";
import { archivedRecords } from "../archived-tables.ts";
import { newestFirst } from "../newest-first.ts";
import { serverOfId } from "../wallet-servers.ts";
import type { GiftRecord } from "./gift.contract.ts";
import { type Elsewhere, type ListedRecord, type RecordsAsked, readRecords, timesOf } from "./gift-store.ts";
import type { RecordServer } from "./record-servers.ts";

interface Page {
  readonly list: GiftRecord[];
  readonly nextCursor: string | null;
}

function pageOf(rows: readonly GiftRecord[], limit: number): Page {
  const list = rows.slice(0, limit);
  return { list, nextCursor: rows.length > limit ? (list.at(-1)?.id ?? null) : null };
}

/**
 * A page of a user's records, newest first, from the servers that may have some. Sent gifts are joined by the times at which
 * they were settled, received ones by those at which they were sent: on each server the order of an index, so no page sorts
 * all gifts of a user. A cursor is an id, whose record has the times. Fails: unavailable, where one of them is away.
 */
export async function recordsPage(
  { asked, all }: { readonly asked: RecordsAsked; readonly all: readonly RecordServer[] },
  servers: readonly RecordServer[],
): Promise<Page> {
  const { cursor, limit, direction } = asked;
  const own = cursor === undefined ? undefined : all.find(({ number }) => number === serverOfId(cursor));
  const isElsewhere = cursor !== undefined && servers.some((server) => server !== own);
  const at = isElsewhere && own ? await onServer(own, ({ mysql }) => timesOf(mysql, cursor)) : undefined;
  if (isElsewhere && !at) return { list: [], nextCursor: null };
  const pages = await Promise.all(
    servers.map((server) =>
      onServer(server, async ({ mysql }) => {
        const elsewhere: Elsewhere | undefined =
          at && server !== own ? { ...at, end: await endAt(server, at.settled) } : undefined;
        return readRecords(mysql, { ...asked, elsewhere });
      }),
    ),
  );
  const timeOf = direction === "sent" ? ({ settled }: Row) => settled.toISOString() : ({ record }: Row) => record.time;
  const rows = newestFirst(
    pages.map((page) => page.map((row): Row => ({ ...row, id: row.record.id }))),
    timeOf,
    limit + 1,
  );
  return pageOf(
    rows.map(({ record }) => record),
    limit,
  );
}

interface Row extends ListedRecord {
  readonly id: string;
}

const onServer = <T>({ view, presence }: RecordServer, work: (view: RecordServer["view"]) => Promise<T>): Promise<T> =>
  whilePresent(presence, () => work(view));

/** The first id of a server that is newer than a time, and some more: rows are written side by side. */
const endAt = ({ view: { mysql } }: RecordServer, settled: Date): Promise<bigint> =>
  firstOfBothSince(mysql, archivedRecords, new Date(settled.getTime() + limits.gift.recordsBesideMs));
