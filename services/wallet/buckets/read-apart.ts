import { isUnavailable } from "../../../broker/failure.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { type ServerPresence, whilePresent } from "../../../mixins/mysql/server-presence.ts";
import { storeBucketOf } from "../../wallet-buckets.ts";
import { BucketElsewhere } from "../writer-ports.ts";
import type { BucketMap } from "./bucket-map.ts";
import { closedGates } from "./gate-store.ts";

/** What is needed of the servers: see LedgerServers. */
interface Servers {
  readonly map: BucketMap | undefined;
  named(name: string): { readonly view: { readonly mysql: Queryable }; readonly presence?: ServerPresence };
  untilHere<T>(bucket: number, othersWait: boolean, work: () => Promise<T>): Promise<T>;
}

/** Reads what one server has of users. */
export type ReadUsers<Row> = (db: Queryable, userIds: string[]) => Promise<readonly Row[]>;

/** What was read of users, and of which of them nothing can be read now, with the reason: unavailable. */
export interface ReadApart<Row> {
  readonly found: readonly Row[];
  readonly missing: ReadonlyMap<string, unknown>;
}

/**
 * Reads users of several servers, each on her own. What is read while a bucket moves is read again. A server that is away
 * and a bucket that stays closed concern their own users alone. `othersWait`: see LedgerServers.untilHere.
 */
export async function readApart<Row>(
  servers: Servers,
  userIds: readonly string[],
  read: ReadUsers<Row>,
  othersWait: boolean,
): Promise<ReadApart<Row>> {
  const found: Row[] = [];
  const missing = new Map<string, unknown>();
  const byBucket = Map.groupBy(userIds, storeBucketOf);
  const usersOf = (buckets: readonly number[]) => buckets.flatMap((bucket) => byBucket.get(bucket) ?? []);
  const orMissing = (buckets: readonly number[], work: Promise<void>) =>
    work.catch((error: unknown) => {
      if (!isUnavailable(error)) throw error;
      for (const userId of usersOf(buckets)) missing.set(userId, error);
    });

  /** The rows of buckets that the map has on one server, and those of its buckets whose rows do not count. */
  const readOnce = async (map: BucketMap, buckets: readonly number[]) => {
    const { view, presence } = servers.named(map.serverOf(buckets[0] as number));
    return whilePresent(presence, async () => {
      const rows = await read(view.mysql, usersOf(buckets));
      const wanted = new Map(buckets.map((bucket) => [bucket, map.revisionOf(bucket)]));
      return { rows, closed: await closedGates(view.mysql, wanted) };
    });
  };
  const readBucket = (bucket: number) =>
    servers.untilHere(bucket, othersWait, async () => {
      const { rows, closed } = await readOnce(servers.map as BucketMap, [bucket]);
      if (closed.size > 0) throw new BucketElsewhere(usersOf([bucket])[0] as string);
      found.push(...rows);
    });
  const readServer = async (map: BucketMap, buckets: readonly number[]): Promise<void> => {
    const { rows, closed } = await readOnce(map, buckets);
    if (closed.size === 0) {
      found.push(...rows);
      return;
    }
    const open = buckets.filter((bucket) => !closed.has(bucket));
    await Promise.all([
      open.length > 0 ? orMissing(open, readServer(map, open)) : undefined,
      ...[...closed].map((bucket) => orMissing([bucket], readBucket(bucket))),
    ]);
  };

  const map = servers.map as BucketMap;
  const groups = Map.groupBy(byBucket.keys(), (bucket) => map.serverOf(bucket));
  await Promise.all([...groups.values()].map((buckets) => orMissing(buckets, readServer(map, buckets))));
  return { found, missing };
}
