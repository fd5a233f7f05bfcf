import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { migrationFolders } from "../../services/databases.ts";
import { anchorId, makeTables, seedAccounts, senderId } from "../support/seed.ts";
import { roomIdOf } from "./burst-gifts.ts";

const rowsPerStatement = 5_000;
/** The coins of each user unless more are asked for: more than one gift costs. */
const usualCoins = 1_000;

/** Calls `insert` with the rows of one statement at a time. */
async function inPortions(
  count: number,
  row: (n: number) => unknown[],
  insert: (rows: unknown[][]) => Promise<unknown>,
): Promise<void> {
  for (let done = 0; done < count; done += rowsPerStatement) {
    const size = Math.min(rowsPerStatement, count - done);
    await insert(Array.from({ length: size }, (_, i) => row(done + i)));
  }
}

async function seedUsers(connection: Connection, ids: readonly string[]): Promise<void> {
  const now = new Date();
  await inPortions(
    ids.length,
    (n) => [ids[n], `user ${n}`, now, now],
    (rows) => connection.query("INSERT INTO t_user (user_id, nick_name, create_time, update_time) VALUES ?", [rows]),
  );
  await inPortions(
    ids.length,
    (n) => [ids[n], String(13_000_000_000 + n), now, now],
    (rows) => connection.query("INSERT INTO t_user_phone (user_id, phone, create_time, update_time) VALUES ?", [rows]),
  );
}

/** Inserts live rooms as if their anchors had started them, without the events: no consumer needs them here. */
async function seedRooms(connection: Connection, rooms: number): Promise<void> {
  const now = new Date();
  await inPortions(
    rooms,
    (room) => [roomIdOf(room), anchorId(room), 1, `room ${room}`, now, now],
    (rows) =>
      connection.query("INSERT INTO t_living_room (id, anchor_id, type, room_name, start_time, update_time) VALUES ?", [
        rows,
      ]),
  );
}

async function inDatabase(
  service: "user" | "living-room",
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  await migrate(databaseName(service), migrationFolders[service]);
  const connection = await openConnection(config().MYSQL_URL, { database: databaseName(service), timezone: "Z" });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

/**
 * Makes users with coins (`senderId`), and anchors (`anchorId`) each with a live room, directly in the databases. Returns
 * the users' ids.
 */
export async function seedPeople(
  users: number,
  rooms: number,
  progress: (line: string) => void,
  coins = usualCoins,
): Promise<string[]> {
  const senders = Array.from({ length: users }, (_, n) => senderId(n));
  const anchors = Array.from({ length: rooms }, (_, room) => anchorId(room));
  await makeTables();
  await inDatabase("user", (connection) => seedUsers(connection, [...senders, ...anchors]));
  await inDatabase("living-room", (connection) => seedRooms(connection, rooms));
  await seedAccounts(databaseName("wallet"), users, senderId, coins, progress);
  return senders;
}
