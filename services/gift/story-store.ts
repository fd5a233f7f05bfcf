import { type Queryable, toSafeInteger } from "../../mixins/mysql/database.ts";
import { archivedRecords } from "../archived-tables.ts";
import type { GiftOrderStory } from "./staff.contract.ts";

/** A gift as the books have it. */
export type RecordedStory = Omit<GiftOrderStory, "queue" | "deadLetter" | "event" | "madeOf"> & {
  readonly record: NonNullable<GiftOrderStory["record"]>;
};

interface StoryRow {
  id: string;
  user_id: string;
  object_id: string;
  room_id: string;
  gift_id: string;
  gift_name: string | null;
  count: number;
  price: string;
  status: number;
  reason: string | null;
  income: string;
  income_points: string;
  send_time: Date;
  update_time: Date;
}

/** The record of an order, with the name of its gift; archived ones too. */
export async function storyOfRecord(db: Queryable, orderId: string): Promise<RecordedStory | undefined> {
  const read = (table: string) =>
    db.query<StoryRow>(
      `SELECT r.id, r.user_id, r.object_id, r.room_id, r.gift_id, c.gift_name, r.count, r.price, r.status, r.reason,
         r.income, r.income_points, r.send_time, r.update_time
       FROM ${table} r LEFT JOIN t_gift_config c ON c.gift_id = r.gift_id WHERE r.order_id = ?`,
      [orderId],
    );
  const row = (await read(archivedRecords.table))[0] ?? (await read(archivedRecords.archive))[0];
  if (!row) return undefined;
  return {
    orderId,
    senderId: String(row.user_id),
    receiverId: String(row.object_id),
    roomId: toSafeInteger(row.room_id),
    giftId: toSafeInteger(row.gift_id),
    giftName: row.gift_name,
    count: toSafeInteger(row.count),
    price: toSafeInteger(row.price),
    state: Number(row.status) === 1 ? "succeeded" : "failed",
    accepted: { time: row.send_time.toISOString(), clock: "jetstream" },
    record: {
      id: String(row.id),
      reason: row.reason,
      income: toSafeInteger(row.income),
      incomePoints: toSafeInteger(row.income_points),
      time: row.update_time.toISOString(),
    },
  };
}

/** The present name of a gift, on sale or not; `null` where there is none of this id. */
export async function giftNameOf(db: Queryable, giftId: number): Promise<string | null> {
  const [row] = await db.query<{ gift_name: string }>("SELECT gift_name FROM t_gift_config WHERE gift_id = ?", [
    giftId,
  ]);
  return row?.gift_name ?? null;
}
