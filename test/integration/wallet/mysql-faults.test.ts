import type { ServiceBroker } from "moleculer";
import { type Connection, createConnection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import type { Outcome } from "../../../services/wallet/posting.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { untilUserWaits } from "../../support/lock-waits.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { fundedUsers, giftOf, retriesOn, settle, Traffic, walletOn } from "./traffic.ts";
import { type Break, openWire, type Wire } from "./wire.ts";

jest.setTimeout(120_000);

// A call must outlast the server's lock wait of five seconds and a second attempt, on a busy machine too.
process.env.CALL_TIMEOUT_MS = "20000";

const mysqlUrl = process.env.MYSQL_URL as string;
const trades = "INSERT INTO t_qiyu_currency_trade";
const accounts = "INSERT INTO t_qiyu_currency_account";

let wire: Wire;
let caller: ServiceBroker;
let nodes: ServiceBroker[];
/** A second writer, directly on the database. */
let other: Connection;

beforeAll(async () => {
  wire = await openWire(mysqlUrl);
  process.env.MYSQL_URL = wire.url;
  nodes = await Promise.all([startNode("wallet-1", [wallet]), startNode("wallet-2", [wallet])]);
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  other = await createConnection({ uri: mysqlUrl, database: databaseName("wallet"), supportBigNumbers: true });
});
afterAll(async () => {
  await other?.end();
  wire.mend();
  await stopAll();
  await wire.close();
});
afterEach(async () => {
  await other.rollback();
  await expectBooksBalanced();
});

const sum = (count: (wallet: ReturnType<typeof walletOn>) => number) =>
  nodes.reduce((total, node) => total + count(walletOn(node)), 0);
const retries = () => nodes.reduce((total, node) => total + retriesOn(node), 0);
const balanceOf = async (user: string) => {
  const found = "SELECT current_balance AS n FROM t_qiyu_currency_account WHERE user_id = ?";
  return Number((await rows<{ n: string }>("wallet", found, [user]))[0]?.n);
};

describe("a connection that breaks", () => {
  test.each<[string, Break]>([
    ["right before the answer to COMMIT", { after: trades, at: "COMMIT", how: "reply lost" }],
    ["in the middle of the trades", { at: trades, how: "half sent" }],
    ["before the answer to the trades", { at: trades, how: "reply lost" }],
    ["before the answer to the balances", { after: trades, at: accounts, how: "reply lost" }],
    ["in the middle of COMMIT", { after: trades, at: "COMMIT", how: "half sent" }],
  ])("%s, again and again: every gift is charged once", async (_where, fault) => {
    const traffic = await Traffic.prepare(caller, 30, 15, 12);
    const looks = sum(({ writer }) => writer.counters.repeats);
    const running = traffic.run();
    // Broken connections are replaced, so there is always one to break.
    for (let breaks = 0; breaks < 4; breaks++) await wire.breakOnce(fault);
    await running;
    expect(traffic.repeats).toBeGreaterThan(0);
    // A commit whose answer was lost is found by its unique business id.
    if (fault.at === "COMMIT" && fault.how === "reply lost")
      expect(sum(({ writer }) => writer.counters.repeats)).toBeGreaterThan(looks);
    await traffic.expectSettledOnce();
  });

  test("and a server that is away for a second: gifts of that time are refused as unavailable and are charged afterwards", async () => {
    const traffic = await Traffic.prepare(caller, 40, 15, 12);
    // So that gifts are in flight when it breaks.
    wire.slow(10);
    const running = traffic.run();
    await traffic.reached(0.2);
    wire.slow(0);
    wire.cut();
    const back = Date.now() + 1_000;
    await eventually("a second of refusals", () => Date.now() > back && traffic.repeats > 40, 30_000);
    wire.mend();
    await running;
    await traffic.expectSettledOnce();
  });
});

const lock = (user: string) =>
  other.query("SELECT 1 FROM t_qiyu_currency_account WHERE user_id = ? FOR UPDATE", [user]);

describe("a competing transaction", () => {
  test("that locks two accounts in the opposite order: the batch that the deadlock rolled back is run again", async () => {
    const spare = await fundedUsers(caller, 20, 1);
    const [a, b] = (await fundedUsers(caller, 2, 3)) as [string, string];
    const before = retries();
    await other.beginTransaction();
    // The server rolls back the transaction that has changed fewer rows.
    await other.query("UPDATE t_qiyu_currency_account SET debt = 1 WHERE user_id IN (?)", [spare]);
    await lock(b);
    const gifts = [giftOf(a), giftOf(b), giftOf(a)];
    const settling = settle(caller, gifts);
    await untilUserWaits(other, b);
    await lock(a);
    await other.rollback();
    const outcomes = await settling;
    expect(outcomes.map(({ status, balanceAfter }) => [status, balanceAfter])).toEqual([
      ["succeeded", 20],
      ["succeeded", 20],
      ["succeeded", 10],
    ]);
    expect(retries()).toBeGreaterThan(before);
    expect(await settle(caller, gifts)).toEqual(outcomes.map((outcome) => ({ ...outcome, repeated: true })));
    expect([await balanceOf(a), await balanceOf(b)]).toEqual([10, 20]);
  });

  test("that holds an account beyond the lock wait: its user waits, others do not, and the batch is run again", async () => {
    const [held, neighbour, free] = (await fundedUsers(caller, 3, 3)) as [string, string, string];
    const before = retries();
    await other.beginTransaction();
    await lock(held);
    const settling = settle(caller, [giftOf(held), giftOf(neighbour)]);
    await untilUserWaits(other, held);
    expect(await settle(caller, [giftOf(free)])).toMatchObject([{ status: "succeeded", balanceAfter: 20 }]);
    await eventually("a lock wait that was given up", () => retries() > before, 30_000);
    await untilUserWaits(other, held);
    await other.rollback();
    expect(await settling).toMatchObject([{ status: "succeeded" }, { status: "succeeded" }]);
    expect([await balanceOf(held), await balanceOf(neighbour)]).toEqual([20, 20]);
  });
});

describe("a command that the database refuses", () => {
  beforeAll(async () => {
    await other.query("ALTER TABLE t_qiyu_currency_trade ADD CONSTRAINT ck_poison CHECK (num <> -6660)");
  });
  afterAll(async () => {
    await other.query("ALTER TABLE t_qiyu_currency_trade DROP CONSTRAINT ck_poison");
  });

  test.each([
    ["by a CHECK", { price: 6_660 }],
    ["for a receiver beyond the column", { receiverId: "99999999999999999999" }],
    ["for an id that is too long", { orderId: "x".repeat(101) }],
  ])("%s fails its user's rows and not its neighbours'", async (_why, poison) => {
    const users = await fundedUsers(caller, 12, 1_000);
    const bad = users[5] as string;
    const { writer } = walletOn(nodes[0] as ServiceBroker);
    const splits = writer.counters.splits;
    const command = (gift: ReturnType<typeof giftOf>) => ({
      ...{ kind: "gift" as const, bizId: gift.orderId, userId: gift.senderId, receiverId: gift.receiverId },
      ...{ amount: gift.price, incomePoints: 0 },
    });
    const gifts = users.flatMap((user) => [giftOf(user), giftOf(user, user === bad ? poison : {}), giftOf(user)]);
    const ends = await Promise.allSettled(gifts.map((gift) => writer.submit(command(gift))));
    const good = gifts.flatMap(({ senderId, orderId }, at) => (senderId === bad ? [] : [{ orderId, end: ends[at] }]));
    expect(good.map(({ end }) => (end as PromiseFulfilledResult<Outcome>).value?.status)).toEqual(
      good.map(() => "done"),
    );
    expect(gifts.filter((_, at) => ends[at]?.status === "rejected").map(({ senderId }) => senderId)).toEqual([
      ...[bad, bad, bad],
    ]);
    expect(writer.counters.splits).toBe(splits + 1);
    const found = "SELECT biz_id FROM t_qiyu_currency_trade WHERE type = 0 AND user_id IN (?) ORDER BY biz_id";
    const written = (await rows<{ biz_id: string }>("wallet", found, [users])).map(({ biz_id }) => biz_id);
    expect(written).toEqual(good.map(({ orderId }) => orderId).sort());
    expect([await balanceOf(bad), await balanceOf(users[0] as string)]).toEqual([10_000, 9_970]);
    // Submitted alone, the user's valid commands succeed.
    const alone = gifts.filter(({ senderId }, at) => senderId === bad && at % 3 !== 1);
    for (const gift of alone) expect(await writer.submit(command(gift))).toMatchObject({ status: "done" });
  });
});
