import { databaseName } from "../../../config/config.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { ReplayTables } from "../../../scripts/restore/replay-tables.ts";
import { migrationFolders } from "../../../services/databases.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import { rows } from "../../support/books.ts";

/** Rows of events that contradict each other. */

const gift = (orderId: string, recordId: string): SettledGift => ({
  ...{ orderId, recordId, status: "succeeded", senderId: "11", receiverId: "12", roomId: 5, giftId: 22, count: 1 },
  ...{ price: 1, income: 0, incomePoints: 50, type: 0, url: "", time: "2026-11-26T14:04:59.000Z" },
});

test("of two gifts with one record id both are written, the first under it", async () => {
  await migrate(databaseName("gift"), migrationFolders.gift);
  const tables = new ReplayTables(process.env.MYSQL_URL as string);
  try {
    const settled = new Date("2026-11-26T14:05:00.000Z");
    const records = [gift("o1", "70"), gift("o2", "70")].map((one) => ({ gift: one, settled }));
    expect(await tables.writeRecords(records)).toBe(2);
    expect(await tables.writeRecords(records)).toBe(0);
  } finally {
    await tables.close();
  }
  expect(await rows("gift", "SELECT id, order_id FROM t_gift_record ORDER BY id")).toEqual([
    { id: "70", order_id: "o1" },
    { id: "71", order_id: "o2" },
  ]);
});
