import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";

// Read at its first use. The servers of the tests have no certificate that anybody would trust, or none at all.
process.env.MYSQL_URL = `${process.env.MYSQL_URL}?ssl=${encodeURIComponent('{"rejectUnauthorized":true}')}`;

const refusal = /secure connection|certificate|SSL|TLS/i;

test("a database keeps to the TLS options of MYSQL_URL: no login at a server without a valid certificate", async () => {
  const database = new Database(databaseName("shop"), { connections: 1 });
  try {
    await expect(database.query("SELECT 1 AS one")).rejects.toMatchObject({
      type: "unavailable",
      data: { cause: expect.stringMatching(refusal) },
    });
  } finally {
    await database.close();
  }
});

test("a migration keeps to them too", async () => {
  await expect(migrate(databaseName("shop"), [])).rejects.toThrow(refusal);
});
