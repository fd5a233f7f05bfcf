import { randomBytes } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import auditor from "../../../services/auditor/auditor.service.ts";
import { migrationFolders } from "../../../services/databases.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { rows } from "../../support/books.ts";
import { publish, recharge } from "../../support/recharge.ts";
import { audited } from "../../support/sealed-audits.ts";
import { eventually, startNode } from "../../support/system.ts";
import { giftOf, settle } from "../wallet/traffic.ts";

/** A wallet and an auditor with real neighbours' tables, whose rows the tests write as gift and payment do. */

/** Longer than a loaded machine takes from an order to its credit. */
export const underWayMs = 12_000;
const newKey = () => randomBytes(32).toString("base64url");
export const bookKeysOfTest = { old: `old:${newKey()}`, new: `new:${newKey()}` };

/** Fast, so that a test waits for a second at most. */
export const fastAudit = {
  ...{
    roundEveryMs: 100,
    passEveryMs: 100,
    passRestFactor: 0,
    pageRestFactor: 0,
    leaseMs: 3_000,
    secondLookMs: 150,
    underWayMs,
    findingsPerPass: 1_000,
  },
};

let next = 0;
export const newUser = () => String(9_700_000_000_000_000_000n + BigInt(next++));

/** A wallet node whose first key is the named one. */
export function startWallet(label: string, first: "old" | "new" = "old"): Promise<ServiceBroker> {
  const second = first === "old" ? "new" : "old";
  process.env.BOOK_KEYS = `${bookKeysOfTest[first]},${bookKeysOfTest[second]}`;
  const settings = { ...(wallet.settings as object), incomeRollupEveryMs: 50, checkpointEveryMs: 250 };
  return startNode(label, [{ ...wallet, settings: settings as ServiceSchema["settings"] }]);
}

export function startAuditor(label: string, settings: object = {}): Promise<ServiceBroker> {
  process.env.BOOK_KEYS ??= `${bookKeysOfTest.old},${bookKeysOfTest.new}`;
  return startNode(label, [{ ...auditor, settings: { ...fastAudit, ...settings } as ServiceSchema["settings"] }]);
}

/** Makes the databases of the neighbours, and opens a connection with every right, as an intruder with a login has. */
export async function openDatabases(): Promise<Connection> {
  for (const service of ["wallet", "gift", "payment", "platform", "staff"] as const)
    await migrate(databaseName(service), migrationFolders[service]);
  return createConnection({
    uri: process.env.MYSQL_URL as string,
    database: databaseName("wallet"),
    supportBigNumbers: true,
    bigNumberStrings: true,
    timezone: "Z",
  });
}

/** What operators have put on sale: a call of its own for each, in the sealed audit. */
const onSale = new Map<string, Promise<number>>();

function putOnSale(
  service: "gift" | "payment",
  action: string,
  params: { price: number; [field: string]: number },
): Promise<number> {
  const key = `${action} ${params.price}`;
  const known = onSale.get(key) ?? audited(service, action, params);
  onSale.set(key, known);
  return known;
}

/** The product of so many coins, and the gift of a price. */
export const productOf = (coins: number) => 1_000_000 + coins;
export const giftAt = (price: number) => 10_000 + price;

/** A paid order, as payment writes it before it publishes its message. */
export async function insertOrder(db: Connection, orderId: string, userId: string, coins: number): Promise<void> {
  await putOnSale("payment", "createProduct", { productId: productOf(coins), price: coins * 10, coins });
  await db.query(
    `INSERT INTO ${databaseName("payment")}.t_pay_order (order_id, product_id, user_id, source, pay_channel, status, amount,
       coins, biz_code, transaction_id, pay_time, create_time, update_time)
     VALUES (?, ?, ?, 1, 3, 2, ?, ?, 10001, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [orderId, productOf(coins), userId, coins * 10, coins, `tx-${orderId}`],
  );
}

export async function funded(db: Connection, caller: ServiceBroker, coins: number): Promise<string> {
  const user = newUser();
  await insertOrder(db, `order-${user}`, user, coins);
  await recharge(caller, `order-${user}`, user, coins);
  return user;
}

/** A refunded order whose coins are taken back, as payment refunds it. */
export async function refund(db: Connection, user: string, coins: number): Promise<void> {
  const orderId = `order-${user}`;
  const payment = databaseName("payment");
  await db.query(`UPDATE ${payment}.t_pay_order SET status = 5, update_time = UTC_TIMESTAMP(3) WHERE order_id = ?`, [
    orderId,
  ]);
  await db.query(
    `INSERT INTO ${payment}.t_pay_refund (order_id, pay_channel, transaction_id, amount, reason, origin, state, create_time,
       update_time) VALUES (?, 3, ?, ?, 'by mistake', 'operator', 'done', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [orderId, `tx-${orderId}`, coins * 10],
  );
  await publish("pay.refund", {
    ...{ orderId, userId: user, coins, amount: coins * 10, reason: "by mistake", time: new Date().toISOString() },
  });
  await eventually(`the refund of ${orderId}`, async () => {
    const found = await rows("wallet", "SELECT id FROM t_qiyu_currency_trade WHERE biz_id = ?", [`refund:${orderId}`]);
    return found.length > 0;
  });
}

/** Records of charged gifts, as the settler writes them: an existing record stays. */
export async function record(db: Connection, gifts: readonly GiftCharge[]): Promise<void> {
  const ids = gifts.map(({ orderId }) => orderId);
  const [trades] = (await db.query("SELECT * FROM t_qiyu_currency_trade WHERE biz_id IN (?)", [ids])) as unknown as [
    Record<string, string>[],
  ];
  for (const { price } of gifts) await putOnSale("gift", "create", { giftId: giftAt(price), price });
  const byId = new Map(trades.map((trade) => [trade.biz_id, trade]));
  await db.query(
    `INSERT INTO ${databaseName("gift")}.t_gift_record (order_id, user_id, object_id, room_id, gift_id, count, price, status,
       reason, income_points, content_hash, send_time) VALUES ? ON DUPLICATE KEY UPDATE id = id`,
    [
      gifts.map((gift) => {
        const trade = byId.get(gift.orderId) as Record<string, string>;
        return [
          ...[gift.orderId, gift.senderId, gift.receiverId, gift.roomId, giftAt(gift.price), gift.count, gift.price],
          ...[trade.status, trade.reason, trade.counterparty_income_points, "0".repeat(32), new Date()],
        ];
      }),
    ],
  );
}

/** Charges gifts and writes their records. */
export async function give(db: Connection, caller: ServiceBroker, from: string, over: Partial<GiftCharge>[]) {
  const gifts = over.map((one) => giftOf(from, one));
  await settle(caller, gifts);
  await record(db, gifts);
  return gifts;
}

export interface Finding {
  kind: string;
  subject: string;
  detail: string;
  gone_time: Date | null;
}

export function findings(): Promise<Finding[]> {
  return rows<Finding>("auditor", "SELECT kind, subject, detail, gone_time FROM t_book_finding ORDER BY id");
}

/** Waits for an open finding. A loaded machine takes several times as long as an idle one. */
export function found(kind: string, subject: string): Promise<Finding> {
  return eventually(
    `${kind} ${subject}`,
    async () => (await findings()).find((one) => one.kind === kind && one.subject === subject && !one.gone_time),
    40_000,
  );
}

/** Waits until so many more full passes are over, each of which began afterwards. */
export async function passesDone(more = 1): Promise<void> {
  const [begun] = await rows<{ now: Date }>("auditor", "SELECT UTC_TIMESTAMP(3) AS now");
  await eventually(
    "a full pass",
    async () => {
      const done = await rows("auditor", "SELECT id FROM t_book_pass WHERE began_time >= ?", [begun?.now]);
      return done.length >= more;
    },
    40_000,
  );
}
