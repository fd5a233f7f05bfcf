import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { migrationFolders } from "../../../services/databases.ts";
import user from "../../../services/user/user.service.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

let database: Database;

beforeAll(async () => {
  await migrate(databaseName("user"), migrationFolders.user);
  database = new Database(databaseName("user"));
});
afterAll(async () => {
  await database.close();
  await stopAll();
});

const write = (count: number, kind: string, sentTime: string) =>
  database.run(
    `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time, sent_time)
     VALUES ${Array.from({ length: count }, () => `('event.test', ?, 'key', '{}', UTC_TIMESTAMP(3), ${sentTime})`).join(",")}`,
    Array.from({ length: count }, (_, n) => `${kind}-${n}`),
  );

const left = async () => {
  const rows = await database.query<{ msg_id: string }>("SELECT msg_id FROM t_outbox ORDER BY id");
  return rows.map(({ msg_id }) => msg_id);
};

test("rows that were sent long ago are deleted, however many; recent and unsent rows stay", async () => {
  await write(2 * limits.outbox.purgeRows + 1, "old", "UTC_TIMESTAMP(3) - INTERVAL 2 HOUR");
  await write(1, "late", "UTC_TIMESTAMP(3) - INTERVAL 50 MINUTE");
  await startNode("user", [user]);
  await write(1, "new", "NULL");
  await eventually("the old rows are gone", async () => (await left()).length === 2);
  expect(await left()).toEqual(["late-0", "new-0"]);
});
