import { hash } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { limits } from "../../config/limits.ts";
import type { ArchivedTable } from "../../mixins/archive/archived-table.ts";
import { FilterBuilder, filterDigest, probeOf } from "../../mixins/archive/bloom.ts";
import { addPartitionSql } from "../../mixins/archive/partitions.ts";
import { sealSegment } from "../../mixins/archive/seal-segment.ts";
import { archivedRecords, archivedTrades } from "../../services/archived-tables.ts";
import { bookKeys } from "../../services/book-keys.ts";
import { giftPrice, rooms } from "../settle/gifts.ts";
import { firstSender } from "../support/seed.ts";
import { telling } from "../support/telling.ts";
import { anchorOf, coins, type Filled, incomePoints, inPortions, orderOf, type Tables, userOf } from "./history.ts";
import { withoutIndexes } from "./indexes.ts";

/** The oldest part of a history, as the archiver leaves it: rows, partitions, segments, filters and sums. */

const month = "2026-01";
const time = `'${month}-10 12:00:00.000'`;
const firstTime = new Date(`${month}-10T12:00:00.000Z`);

/** Where the tables of one kind are: `db.t_..._archive`, and the database. */
const archiveOf = (table: string) => `${table}_archive`;
const databaseOf = (table: string) => table.split(".")[0] as string;

/** Removes what an earlier history left: rows, partitions, segments and sums. */
export async function emptyArchives(connection: Connection, { trade, record }: Tables): Promise<void> {
  for (const table of [trade, record]) {
    const [database, archive] = [databaseOf(table), archiveOf(table)];
    await connection.query(`ALTER TABLE ${archive} REMOVE PARTITIONING`);
    await connection.query(`TRUNCATE TABLE ${archive}`);
    const rest = "PARTITION p_rest VALUES LESS THAN MAXVALUE";
    await connection.query(`ALTER TABLE ${archive} PARTITION BY RANGE (id) (${rest})`);
    for (const one of ["t_archive_segment", "t_archive_filter"])
      await connection.query(`TRUNCATE TABLE ${database}.${one}`);
    await connection.query(`UPDATE ${database}.t_archive_revision SET revision = revision + 1`);
  }
  await connection.query(`TRUNCATE TABLE ${databaseOf(trade)}.t_trade_archive_sum`);
}

/** An archived row, as far as its segment counts it. */
interface Counted {
  readonly key: string;
  readonly sum: number;
  readonly points: number;
}

/**
 * Gathers the filters of the segments, in the order of the ids. Nobody compares the digests of rows here, so there are
 * none: to read all rows would take as long as to write them.
 */
class Segments {
  private readonly connection: Connection;
  private readonly database: string;
  private readonly table: ArchivedTable;
  private readonly last: number;
  private builder: FilterBuilder | undefined;
  private segment = 0;
  private rows = 0;
  private sum = 0n;
  private points = 0n;

  /** `last`: the highest archived id. */
  constructor(connection: Connection, database: string, table: ArchivedTable, last: number) {
    this.connection = connection;
    this.database = database;
    this.table = table;
    this.last = last;
  }

  private get from(): number {
    return this.segment === 0 ? 0 : this.segment * limits.archive.segmentRows + 1;
  }

  private get to(): number {
    return Math.min((this.segment + 1) * limits.archive.segmentRows, this.last) + 1;
  }

  /** Makes all partitions, before the rows come. */
  async partitions(): Promise<void> {
    await this.connection.query(`USE ${this.database}`);
    for (this.segment = 0; this.from <= this.last; this.segment++)
      await this.connection.query(addPartitionSql(this.table, this.segment + 1, BigInt(this.to)));
    this.segment = 0;
  }

  /** Takes the row of the next id. */
  async add({ key, sum, points }: Counted): Promise<void> {
    this.builder ??= new FilterBuilder(this.to - Math.max(1, this.from));
    this.builder.add(probeOf(key));
    this.rows++;
    this.sum += BigInt(sum);
    this.points += BigInt(points);
    if (Math.max(1, this.from) + this.rows === this.to) await this.close(this.builder);
  }

  private async close(builder: FilterBuilder): Promise<void> {
    const parts = builder.parts();
    const [from, to, segment] = [BigInt(this.from), BigInt(this.to), this.segment + 1];
    const { table } = this.table;
    const count = { rows: BigInt(this.rows), sum: this.sum, points: this.points, digest: Buffer.alloc(32) };
    const facts = {
      ...{ table, segment, month, from, to, count: { ...count, firstTime, lastTime: firstTime } },
      ...{ filterHashes: builder.hashes, filterDigest: filterDigest(parts) },
    };
    const { keyName, seal } = sealSegment(bookKeys("archiver"), facts);
    await this.connection.query(
      `INSERT INTO ${this.database}.t_archive_segment (table_name, segment, from_id, to_id, moved_to, month, state,
         row_count, row_sum, row_points, digest, first_time, last_time, filter_hashes, filter_digest, key_name, seal,
         planned_time, filtered_time, closed_time)
       VALUES (?, ?, ?, ?, ?, ?, 'closed', ?, ?, ?, ?, ${time}, ${time}, ?, ?, ?, ?, ${time}, ${time}, ${time})`,
      [
        ...[table, segment, String(from), String(to), String(to), month],
        ...[String(count.rows), String(count.sum), String(count.points), count.digest],
        ...[builder.hashes, facts.filterDigest, keyName, seal],
      ],
    );
    for (const [part, bits] of parts.entries())
      await this.connection.query(`INSERT INTO ${this.database}.t_archive_filter VALUES (?, ?, ?, ?)`, [
        ...[table, segment, part, bits],
      ]);
    this.builder = undefined;
    this.segment++;
    [this.rows, this.sum, this.points] = [0, 0n, 0n];
  }
}

const md5 = (text: string) => hash("md5", text, "hex");

/** Fills the archives of trades and records, and lets the ids of the hot tables begin after them. */
export async function fillArchives(
  connection: Connection,
  tables: Tables,
  { accounts, archivedGifts }: Filled,
  progress: (line: string) => void,
): Promise<void> {
  const [wallet, gift] = [databaseOf(tables.trade), databaseOf(tables.record)];
  const lastTrade = accounts + 2 * archivedGifts;
  const trades = new Segments(connection, wallet, archivedTrades, lastTrade);
  const records = new Segments(connection, gift, archivedRecords, archivedGifts);
  await trades.partitions();
  await records.partitions();
  const trade = archiveOf(tables.trade);
  await withoutIndexes(connection, trade, progress, async () => {
    await inPortions([0, accounts], "archived recharges", progress, async (n, from, size) => {
      const insert = insertTrades(
        connection,
        trade,
        `n + 1, ${firstSender} + n, ${coins}, 1, MD5(CONCAT('seed-', n)),
        NULL, 0, ${coins}`,
        n,
      );
      for (let at = from; at < from + size; at++) await trades.add({ key: md5(`seed-${at}`), sum: coins, points: 0 });
      await insert;
    });
    await inPortions([0, archivedGifts], "archived recharges and gifts", progress, async (n, from, size) => {
      const first = accounts + 2 * from + 1;
      const user = userOf(accounts);
      const recharges = insertTrades(
        connection,
        trade,
        `${first} + n - ${from}, ${user}, ${giftPrice}, 1,
        MD5(CONCAT('recharge-', n)), NULL, 0, ${coins + giftPrice}`,
        n,
      );
      const gifts = insertTrades(
        connection,
        trade,
        `${first + size} + n - ${from}, ${user}, -${giftPrice}, 0, ${orderOf},
        ${anchorOf}, ${incomePoints}, ${coins}`,
        n,
      );
      for (let at = from; at < from + size; at++)
        await trades.add({ key: md5(`recharge-${at}`), sum: giftPrice, points: 0 });
      for (let at = from; at < from + size; at++)
        await trades.add({ key: md5(`gift-${at}`), sum: -giftPrice, points: incomePoints });
      await Promise.all([recharges, gifts]);
    });
  });
  // From the index alone: rows that were read by it, each by itself, would take an hour. Each account has its first recharge,
  // and pairs of a recharge and a gift of the same coins.
  await telling("archived ledger: adding up each user's rows", progress, () =>
    connection.query(
      `INSERT INTO ${wallet}.t_trade_archive_sum (user_id, trades, num, charged, last_id, last_balance)
       SELECT user_id, COUNT(*), ${coins}, ${coins} + (COUNT(*) - 1) DIV 2 * ${giftPrice}, MAX(id), ${coins}
       FROM ${trade} FORCE INDEX (idx_user) GROUP BY user_id`,
    ),
  );
  await withoutIndexes(connection, archiveOf(tables.record), progress, async () => {
    await inPortions([0, archivedGifts], "archived records", progress, async (n, from, size) => {
      await connection.query(
        `INSERT INTO ${archiveOf(tables.record)} (id, order_id, user_id, object_id, room_id, gift_id, count, price,
           price_unit, source, status, income_points, content_hash, send_time, update_time)
         SELECT n + 1, ${orderOf}, ${userOf(accounts)}, ${anchorOf}, n % ${rooms} + 1, 22, 1, ${giftPrice}, 1, 1, 1,
           ${incomePoints}, MD5(n % ${rooms}), ${time}, ${time} FROM ${n} ORDER BY n`,
      );
      for (let at = from; at < from + size; at++)
        await records.add({ key: md5(`gift-${at}`), sum: giftPrice, points: incomePoints });
    });
  });
  await connection.query(`ALTER TABLE ${tables.trade} AUTO_INCREMENT = ${lastTrade + 1}`);
  await connection.query(`ALTER TABLE ${tables.record} AUTO_INCREMENT = ${archivedGifts + 1}`);
}

/** `values`: id, user, num, type, business id, counterparty, points, balance after. */
const insertTrades = (connection: Connection, trade: string, values: string, table: string) =>
  connection.query(
    `INSERT INTO ${trade} (id, user_id, num, type, biz_id, counterparty_id, counterparty_income_points, balance_after,
       status, create_time, update_time)
     SELECT ${values}, 1, ${time}, ${time} FROM ${table} ORDER BY n`,
  );
