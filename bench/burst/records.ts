import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { senderId } from "../support/seed.ts";
import { giftOf, orderOf } from "./burst-gifts.ts";
import { outcome, type PartOfBurst } from "./outcomes.ts";

/** A gift record, as far as the request decides it. */
export interface GiftRow {
  order_id: string;
  user_id: string;
  object_id: string;
  room_id: string;
  gift_id: string;
  count: number;
  status: number;
}

const succeeded = 1;
/** More sentences of one kind say nothing new. */
const shownOfEachKind = 5;

/** All gift records. */
export async function giftRows(): Promise<GiftRow[]> {
  const connection = await openConnection(config().MYSQL_URL, {
    ...{ database: databaseName("gift") },
    ...{ supportBigNumbers: true, bigNumberStrings: true },
  });
  try {
    const [rows] = await connection.query(
      "SELECT order_id, user_id, object_id, room_id, gift_id, count, status FROM t_gift_record",
    );
    return rows as GiftRow[];
  } finally {
    await connection.end();
  }
}

const contentOf = (row: GiftRow) =>
  [row.user_id, row.object_id, row.room_id, row.gift_id, row.count, row.status].join(" ");

/**
 * Compares the records with the answers, gift by gift: an accepted gift has its own record, which succeeded; a refused
 * or unsent one has none; one without a clear answer has its own record or none; and there is no other record.
 */
export function recordProblems(parts: readonly PartOfBurst[], rooms: number, rows: readonly GiftRow[]): string[] {
  const left = new Map(rows.map((row) => [row.order_id, row]));
  const problems = new Map<string, string[]>();
  const report = (kind: string, about: string) => {
    const known = problems.get(kind) ?? [];
    problems.set(kind, known);
    known.push(about);
  };
  if (left.size !== rows.length) report("orders with two records", String(rows.length - left.size));
  for (const { from, outcomes } of parts)
    for (const [i, what] of outcomes.entries()) {
      const n = from + i;
      const gift = giftOf(n, rooms);
      const orderId = orderOf(n, gift);
      const row = left.get(orderId);
      left.delete(orderId);
      const wanted = [senderId(n), gift.receiverId, gift.roomId, gift.giftId, gift.count, succeeded].join(" ");
      if (what === outcome.misnamed) report("gifts answered with another order's id", orderId);
      else if (what === outcome.accepted && !row) report("accepted gifts without a record", orderId);
      else if ((what === outcome.refused || what === outcome.unsent) && row)
        report("refused gifts with a record", orderId);
      else if (row && contentOf(row) !== wanted)
        report("records that are not what was sent", `${orderId} (${contentOf(row)} for ${wanted})`);
    }
  for (const orderId of left.keys()) report("records of no gift that was sent", orderId);
  return [...problems].map(([kind, all]) => `${kind}: ${all.length}, e.g. ${all.slice(0, shownOfEachKind).join(", ")}`);
}
