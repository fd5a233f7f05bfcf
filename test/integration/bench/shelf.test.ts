import { type Connection, createConnection } from "mysql2/promise";
import { fillBooks } from "../../../bench/scale/fill.ts";
import { plan } from "../../../bench/scale/history.ts";
import { Shelf } from "../../../bench/scale/shelf.ts";
import { conservationProblems, productBooks } from "../../../bench/support/conservation.ts";
import { config, databaseName } from "../../../config/config.ts";
import { stopAll } from "../../support/system.ts";

/** Filled books beside one another on one server, in the benchmark of scale. */
describe("the shelf of filled books", () => {
  const pasts = [plan(10, 50), plan(10, 70, 20)] as const;
  let connection: Connection;
  const count = async (table: string) => {
    const [rows] = await connection.query(`SELECT COUNT(*) AS number FROM ${databaseName("wallet")}.${table}`);
    return Number((rows as { number: string }[])[0]?.number);
  };

  beforeAll(async () => {
    connection = await createConnection({ uri: config().MYSQL_URL });
  });
  afterAll(async () => {
    await connection.end();
    await stopAll();
  });

  it("gives back each of several books as it was put away", async () => {
    const shelf = new Shelf();
    for (const [number, past] of pasts.entries()) {
      await shelf.begin(number);
      expect(await count("t_qiyu_currency_account")).toBe(0);
      await fillBooks(past, () => {});
    }
    for (const number of [0, 0, 1, 0, 1] as const) {
      await shelf.take(number);
      const { gifts, archivedGifts, trades } = pasts[number];
      expect(await conservationProblems(productBooks(gifts))).toEqual([]);
      const archived = await count("t_qiyu_currency_trade_archive");
      expect(archived).toBe(archivedGifts === 0 ? 0 : 10 + 2 * archivedGifts);
      expect(archived + (await count("t_qiyu_currency_trade"))).toBe(trades);
    }
  });
});
