import { databaseName } from "../../../config/config.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import gift from "../../../services/gift/gift.service.ts";
import { giftNameOf, storyOfRecord } from "../../../services/gift/story-store.ts";
import { guestsAmong, guestsOfAnchors } from "../../../services/living-room/guest-store.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import { roomById, roomsByExternalId, roomsOfAnchor } from "../../../services/living-room/lookup-store.ts";
import payment from "../../../services/payment/payment.service.ts";
import {
  ordersOfTransaction,
  ordersOfUser,
  partsOfOrder,
  staffOrderById,
} from "../../../services/payment/story-store.ts";
import { knownUsers, openSessions, userIdsByPhoneEnd } from "../../../services/user/lookup-store.ts";
import user from "../../../services/user/user.service.ts";
import {
  debtRefundsSince,
  debtsByBizId,
  holdsOfGift,
  holdsOfOrder,
  postingsOfAnchor,
  tradesByBizId,
} from "../../../services/wallet/story-store.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { explaining } from "../../support/explained.ts";
import { startNode, stopAll } from "../../support/system.ts";

/** Every statement by which staff look something up reads by an index: a table may have billions of rows. */

jest.setTimeout(60_000);

const databases = new Map<string, Database>();
const databaseOf = (service: string) => {
  const database = databases.get(service) ?? new Database(databaseName(service as "user"));
  databases.set(service, database);
  return database;
};

beforeAll(async () => {
  await startNode("services", [user, livingRoom, gift, wallet, payment]);
  for (const [service, statements] of Object.entries(fillers))
    for (const statement of statements) await databaseOf(service).run(statement);
});
afterAll(async () => {
  for (const database of databases.values()) await database.close();
  await stopAll();
});

const digits = `(${Array.from({ length: 10 }, (_, d) => `SELECT ${d} AS d`).join(" UNION ALL ")})`;
/** 2,000 rows, with the numbers n of 1 to 2,000. */
const fill = (
  table: string,
  columns: Record<string, string>,
) => `INSERT INTO ${table} (${Object.keys(columns).join(", ")})
  SELECT ${Object.values(columns).join(", ")} FROM (
    SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n
    FROM ${digits} a JOIN ${digits} b JOIN ${digits} c JOIN (SELECT 0 AS d UNION ALL SELECT 1) e) numbers`;
const now = "UTC_TIMESTAMP(3)";
const times = { create_time: now, update_time: now };
const later = `${now} + INTERVAL 1 DAY`;

/** Of a few users each, as after years. */
const fillers: Record<string, string[]> = {
  user: [
    fill("t_user", { user_id: "n", nick_name: "CONCAT('u', n)", ...times }),
    fill("t_user_phone", { user_id: "n", phone: "CONCAT('138', LPAD(n, 8, '0'))", ...times }),
    fill("t_user_external", { external_id: "CONCAT('e', n)", user_id: "n", create_time: now }),
    fill("t_session", { user_id: "1 + n MOD 200", session_id: "n", issued_ms: "n", expires_time: later }),
  ],
  "living-room": [
    fill("t_living_room", {
      ...{ id: "n", anchor_id: "n", type: "1", room_name: "'r'", external_id: "CONCAT('x', n)" },
      ...{ start_time: now, update_time: now, guest_id: "10000 + n", battle_id: "n" },
    }),
    fill("t_living_room_record", {
      ...{ id: "10000 + n", anchor_id: "1 + n MOD 200", type: "1", room_name: "'r'" },
      ...{ external_id: "CONCAT('x', n MOD 200)", start_time: now, end_time: now, update_time: now },
    }),
  ],
  gift: [
    fill("t_gift_record", {
      ...{
        order_id: "CONCAT('o', n)",
        user_id: "1 + n MOD 200",
        object_id: "7",
        room_id: "1",
        gift_id: "22",
        count: "1",
      },
      ...{ price: "1", status: "1", content_hash: "'h'", send_time: now },
    }),
  ],
  wallet: [
    fill("t_qiyu_currency_trade", {
      ...{ user_id: "1 + n MOD 200", num: "1", type: "1", status: "1", biz_id: "CONCAT('o', n)", balance_after: "1" },
    }),
    fill("t_wallet_debt", { user_id: "1 + n MOD 200", num: "1", biz_id: "CONCAT('refund:o', n)" }),
    fill("t_income_posting", {
      ...{ anchor_id: "1 + n MOD 200", kind: "1", points: "-1", biz_id: "CONCAT('hold:o', n, ':7')" },
      order_id: "CONCAT('o', n)",
    }),
    fill("t_income_hold_gift", {
      ...{ hold_biz_id: "CONCAT('hold:o', n, ':7')", gift_biz_id: "CONCAT('o', n MOD 200)" },
      ...{ coins_from: "n", coins: "1", points: "1" },
    }),
  ],
  payment: [
    fill("t_pay_order", {
      ...{ order_id: "CONCAT('o', n)", product_id: "6", user_id: "1 + n MOD 200", source: "1", pay_channel: "n MOD 2" },
      ...{ status: "2", amount: "1", coins: "1", biz_code: "10001", transaction_id: "CONCAT('t', n)", ...times },
    }),
    fill("t_pay_webhook", {
      ...{
        channel: "'wechat'",
        outcome: "'applied'",
        reason: "'paid'",
        order_id: "CONCAT('o', n)",
        body: "''",
        ip: "''",
      },
      ...{ transaction_id: "CONCAT('t', n)", create_time: now },
    }),
    fill("t_pay_parked", { order_id: "CONCAT('o', n)", reason: "'paidTwice'", create_time: now }),
    fill("t_pay_message_watch", {
      ...{ order_id: "CONCAT('o', n)", effect: "'credit'", subject: "'pay.recharge'", message: "''" },
      ...{ next_time: later, again_time: later },
    }),
    fill("t_pay_watch", { order_id: "CONCAT('o', n)", expire_time: later, next_time: later }),
    fill("t_pay_refund", {
      ...{ order_id: "CONCAT('o', n)", pay_channel: "1", transaction_id: "CONCAT('t', n)", amount: "1", reason: "''" },
      ...{ origin: "'operator'", state: "'done'", ...times },
    }),
    fill("t_pay_difference", {
      ...{ bill_date: "'2026-01-01'", channel: "'wechat'", kind: "'unknown'", order_id: "CONCAT('o', n)" },
      ...{ detail: "n", create_time: now },
    }),
  ],
};

const page = { userId: "7", limit: 20 };
type Look = (db: ReturnType<typeof explaining>) => Promise<unknown>;
const looks: Record<string, [service: string, look: Look][]> = {
  "users by ids": [["user", (db) => knownUsers(db, ["1", "2", "1999"])]],
  "users by the end of a phone": [["user", (db) => userIdsByPhoneEnd(db, "1234")]],
  "the sessions of a user": [["user", (db) => openSessions(db, "7")]],
  "a room by its id": [
    ["living-room", (db) => roomById(db, 12)],
    ["living-room", (db) => roomById(db, 10_012)],
  ],
  "the rooms of an anchor": [
    ["living-room", (db) => roomsOfAnchor(db, page)],
    ["living-room", (db) => roomsOfAnchor(db, { ...page, cursor: "10900" })],
  ],
  "guests of live rooms": [
    ["living-room", (db) => guestsAmong(db, ["10007"])],
    ["living-room", (db) => guestsOfAnchors(db, ["7", "8"])],
  ],
  "rooms by the platform's id": [["living-room", (db) => roomsByExternalId(db, "x7")]],
  "the record of a gift": [["gift", (db) => storyOfRecord(db, "o7")]],
  "the name of a gift": [["gift", (db) => giftNameOf(db, 22)]],
  "trades by business ids": [["wallet", (db) => tradesByBizId(db, ["o7", "refund:o7"])]],
  "debts by business ids": [["wallet", (db) => debtsByBizId(db, ["refund:o7", "debt:o7"])]],
  "the refunds of a user": [["wallet", (db) => debtRefundsSince(db, "7", new Date(0))]],
  "the holds of a gift": [["wallet", (db) => holdsOfGift(db, "o7")]],
  "the holds of an order": [["wallet", (db) => holdsOfOrder(db, "o7")]],
  "the postings of an anchor": [
    ["wallet", (db) => postingsOfAnchor(db, page)],
    ["wallet", (db) => postingsOfAnchor(db, { ...page, cursor: "900" })],
  ],
  "the payments of a user": [
    ["payment", (db) => ordersOfUser(db, page)],
    ["payment", (db) => ordersOfUser(db, { ...page, cursor: "900" })],
  ],
  "payments by the provider's id": [["payment", (db) => ordersOfTransaction(db, "t7")]],
  "a payment by its order": [["payment", (db) => staffOrderById(db, "o7")]],
  "what stands beside a payment": [["payment", (db) => partsOfOrder(db, "o7")]],
};

test.each(Object.entries(looks))("%s are read by an index, and some are found", async (_what, all) => {
  for (const [service, look] of all) {
    const db = explaining(databaseOf(service));
    const found = await look(db);
    expect(db.explained.length).toBeGreaterThan(0);
    expect(db.scans).toEqual([]);
    expect(JSON.stringify(found)).not.toMatch(/^(null|\[\]|\{"list":\[\])/);
  }
});

test("a query without an index is told from those", async () => {
  const db = explaining(databaseOf("user"));
  await db.query("SELECT user_id FROM t_user_phone WHERE phone LIKE ?", ["%1234"]);
  expect(db.scans).toHaveLength(1);
});
