import { execFile } from "node:child_process";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import { idleTransaction } from "../../../mixins/mysql/session-settings.ts";
import { call } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import { insertTrades, lockAccounts, updateAccounts } from "../../../services/wallet/wallet-store.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { publish } from "../../support/recharge.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { giftOf, settle, walletOn } from "../wallet/traffic.ts";
import {
  findings,
  found,
  funded,
  give,
  insertOrder,
  newUser,
  openDatabases,
  passesDone,
  record,
  refund,
  startAuditor,
  startWallet,
  underWayMs,
} from "./bookkeeping.ts";

jest.setTimeout(120_000);

const ledger = "t_qiyu_currency_trade";
let caller: ServiceBroker;
let auditorNode: ServiceBroker;
/** What a person with the wallet's and others' database logins can do. */
let intruder: Connection;

beforeAll(async () => {
  intruder = await openDatabases();
  await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await caller.waitForServices("wallet");
  auditorNode = await startAuditor("auditor-1");
});
afterAll(async () => {
  await intruder?.end();
  await closeAudits();
  await stopAll();
});

const run = (sql: string, values: unknown[] = []) => intruder.query(sql, values);
const tradeOf = async (bizId: string) =>
  (
    await rows<{ id: string; user_id: string }>("wallet", `SELECT id, user_id FROM ${ledger} WHERE biz_id = ?`, [bizId])
  )[0]!;
const orders = () => `${databaseName("payment")}.t_pay_order`;
const gift = () => `${databaseName("gift")}.t_gift_record`;

function verify(...args: string[]): Promise<{ code: number; out: string; progress: string }> {
  const script = join(projectRoot(), "scripts/verify.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout, progress: stderr });
    });
  });
}

describe("a busy system", () => {
  test("raises no alarm: concurrent and late commits, repeats, refunds, holds, payouts, a node that ends, a key that changes", async () => {
    const second = await startWallet("wallet-2", "new");
    await waitForNode(caller, "wallet", second.nodeID);
    const anchors = [newUser(), newUser(), newUser()];
    const fans = await Promise.all(Array.from({ length: 12 }, () => funded(intruder, caller, 400)));
    let busy = true;
    const traffic = fans.map(async (fan, at) => {
      for (let turn = 0; busy; turn++) {
        const gifts = Array.from({ length: 4 }, (_, n) =>
          giftOf(fan, { receiverId: anchors[(at + n) % 3]!, price: 3 }),
        );
        await settle(caller, gifts);
        // A redelivered batch, and a record that is a while behind its charge.
        if (turn % 3 === 0) await settle(caller, gifts);
        await record(intruder, gifts);
      }
    });
    // A transaction that stays open while later ids are committed, read and compared.
    const late = await funded(intruder, caller, 10);
    await insertOrder(intruder, "late-order", late, 7);
    await run(`UPDATE ${orders()} SET update_time = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR WHERE order_id = 'late-order'`);
    const { seals, mysql } = walletOn(second);
    const opened = seals.transaction(mysql, async (tx, sealing) => {
      // It says nothing while passes go on, which take as long as the machine needs.
      await tx.query(idleTransaction(0));
      const account = [...(await lockAccounts(tx, [late], sealing)).values()][0]!;
      const after = { ...account, balance: account.balance + 7, totalCharged: account.totalCharged + 7 };
      const row = { userId: late, num: 7, type: 1, status: 1, bizId: "late-order", counterpartyId: null };
      await insertTrades(tx, [{ ...row, incomePoints: 0, balanceAfter: after.balance, reason: null }], sealing);
      await updateAccounts(tx, [after]);
      await passesDone();
    });
    // A refund of spent coins: a debt, and a share that is held back and released.
    const payer = await funded(intruder, caller, 30);
    await give(intruder, caller, payer, [{ receiverId: anchors[0]!, price: 20 }]);
    await refund(intruder, payer, 30);
    await call(caller, "wallet.holdIncome", { orderId: `order-${payer}`, reason: "spent", operator: "alice" });
    await call(caller, "wallet.releaseHold", { orderId: `order-${payer}`, reason: "kept", operator: "alice" });
    await insertOrder(intruder, `again-${payer}`, payer, 50);
    await publish("pay.recharge", {
      ...{ orderId: `again-${payer}`, userId: payer, coins: 50, amount: 500, bizCode: 10001 },
      time: new Date().toISOString(),
    });
    await eventually(
      "the debt is paid off",
      async () => (await call(caller, "wallet.balance", { userId: payer })).debt === 0,
    );
    await call(caller, "wallet.payout", {
      ...{ userId: anchors[1]!, points: 10, payoutId: "p-1", reason: "march", operator: "alice" },
    });
    const free = { holdId: "h-1", reason: "a complaint", operator: "alice" };
    await call(caller, "wallet.holdFree", { ...free, userId: anchors[1]!, points: 10 });
    await call(caller, "wallet.releaseFree", free);
    await call(caller, "wallet.holdFree", { ...free, holdId: "h-2", userId: anchors[1]!, points: 5 });
    await opened;
    await passesDone();
    busy = false;
    await Promise.all(traffic);
    await stopNode(second);
    await passesDone(2);
    await expectBooksBalanced();
    expect(await findings()).toEqual([]);
    const report = (await caller.call("auditor.health", {}, { nodeID: auditorNode.nodeID })) as HealthReport;
    expect(report.books).toBe(true);
    const seals2 = await rows<{ key_name: string }>("wallet", "SELECT DISTINCT key_name FROM t_ledger_seal ORDER BY 1");
    expect(seals2.map(({ key_name }) => key_name)).toEqual(["new", "old"]);
  });

  test("costs one seal for a batch of gifts, and its chains' heads are joined and published", async () => {
    const fan = await funded(intruder, caller, 300);
    const count = async () =>
      Number((await rows<{ n: string }>("wallet", "SELECT COUNT(*) AS n FROM t_ledger_seal WHERE book = 1"))[0]?.n);
    const before = await count();
    await give(
      intruder,
      caller,
      fan,
      Array.from({ length: 300 }, () => ({ price: 1 })),
    );
    expect((await count()) - before).toBe(1);
    await eventually("a checkpoint has every seal, and the auditor has its event", async () => {
      const missing = await rows(
        "wallet",
        `SELECT s.writer FROM (SELECT writer, MAX(number) AS number FROM t_ledger_seal GROUP BY writer) s
         WHERE NOT EXISTS (SELECT 1 FROM t_ledger_checkpoint c
           WHERE c.heads LIKE CONCAT('%', s.writer, '"%"number":', s.number, ',%') OR c.heads LIKE CONCAT('%', s.writer, '"%"number": ', s.number, ',%'))`,
      );
      const [joined] = await rows<{ n: string }>("wallet", "SELECT MAX(number) AS n FROM t_ledger_checkpoint");
      const [seen] = await rows<{ n: string }>("auditor", "SELECT MAX(number) AS n FROM t_book_checkpoint");
      return missing.length === 0 && joined?.n === seen?.n;
    });
  });

  test("takes no event books.sealed that is not of the keys: the true one of that number is kept", async () => {
    const last = async () =>
      Number(
        (await rows<{ n: string | null }>("wallet", "SELECT MAX(number) AS n FROM t_ledger_checkpoint"))[0]?.n ?? 0,
      );
    const number = (await last()) + 2;
    for (const key of ["old", "unknown"]) {
      const zeros = "0".repeat(64);
      const data = { number, previous: zeros, digest: zeros, key, heads: [], time: new Date().toISOString() };
      const { subject, payload } = durableEvent("books.sealed", `forged-${key}`, data);
      await publish(subject, payload);
    }
    while ((await last()) < number) {
      const before = await last();
      await funded(intruder, caller, 10);
      await eventually("a checkpoint", async () => (await last()) > before);
    }
    const digest = `SELECT HEX(digest) AS digest FROM`;
    const [real] = await rows("wallet", `${digest} t_ledger_checkpoint WHERE number = ?`, [number]);
    const kept = await eventually(
      "its event",
      async () => (await rows("auditor", `${digest} t_book_checkpoint WHERE number = ?`, [number]))[0],
    );
    expect(kept).toEqual(real);
  });

  test("is equal for npm run verify, which shows its progress and ends with 0; with --json and --since too", async () => {
    const plain = await verify();
    expect([plain.code, plain.progress]).toEqual([0, expect.stringContaining("seals of t_qiyu_currency_trade: ")]);
    expect(plain.out).toContain("The books are equal.");
    const since = await verify("--json", "--since", new Date().toISOString().slice(0, 10));
    expect([since.code, JSON.parse(since.out).equal]).toEqual([0, true]);
    expect((await verify("--since", "yesterday")).code).toBe(1);
  });
});

/** Kind, subject, and a part of the detail. */
type Expected = [kind: string, subject: string, detail?: string];
/** What an intruder does, and what is found. */
type Tampering = () => Promise<Expected[]>;

const tamperings: Readonly<Record<string, Tampering>> = {
  "the end of a chain that was cut, with its rows, orders and accounts, so that nothing else shows it": async () => {
    const third = await startWallet("wallet-3");
    const [user, orderId] = [newUser(), "of-the-cut-chain"];
    await insertOrder(intruder, orderId, user, 9);
    const { seals, mysql } = walletOn(third);
    await seals.transaction(mysql, async (tx, sealing) => {
      const account = [...(await lockAccounts(tx, [user], sealing)).values()][0]!;
      const row = { userId: user, num: 9, type: 1, status: 1, bizId: orderId, counterpartyId: null };
      await insertTrades(tx, [{ ...row, incomePoints: 0, balanceAfter: 9, reason: null }], sealing);
      await updateAccounts(tx, [{ ...account, balance: 9, totalCharged: 9 }]);
    });
    const [seal] = await rows<{ writer: string }>(
      "wallet",
      "SELECT writer FROM t_ledger_seal WHERE book = 1 AND first_id = ?",
      [(await tradeOf(orderId)).id],
    );
    await stopNode(third);
    await eventually("the auditor has seen it", async () => {
      const seen = await rows("auditor", "SELECT writer FROM t_book_head WHERE writer = ?", [seal?.writer]);
      return seen.length > 0;
    });
    await run("DELETE FROM t_ledger_seal WHERE writer = ?", [seal?.writer]);
    await run(`DELETE FROM ${ledger} WHERE biz_id = ?`, [orderId]);
    await run(`DELETE FROM ${orders()} WHERE order_id = ?`, [orderId]);
    await run("DELETE FROM t_qiyu_currency_account WHERE user_id = ?", [user]);
    return [["chainCut", `chain ${seal?.writer}`]];
  },
  "a balance and a total_charged that were set by hand": async () => {
    const [user, other] = [await funded(intruder, caller, 50), await funded(intruder, caller, 50)];
    await run("UPDATE t_qiyu_currency_account SET current_balance = 5000000 WHERE user_id = ?", [user]);
    await run("UPDATE t_qiyu_currency_account SET total_charged = 51 WHERE user_id = ?", [other]);
    return [
      ["balanceDiffers", `account ${user}`, "5000000"],
      ["chargedDiffers", `account ${other}`],
    ];
  },
  "a row that was removed, with its balance and its record": async () => {
    const [fan, anchor] = [await funded(intruder, caller, 50), newUser()];
    const gifts = await give(intruder, caller, fan, [
      { receiverId: anchor },
      { receiverId: anchor },
      { receiverId: anchor },
    ]);
    const { id } = await tradeOf(gifts[1]!.orderId);
    await run(`DELETE FROM ${ledger} WHERE id = ?`, [id]);
    await run(`DELETE FROM ${gift()} WHERE order_id = ?`, [gifts[1]!.orderId]);
    await run("UPDATE t_qiyu_currency_account SET current_balance = 30 WHERE user_id = ?", [fan]);
    return [
      ["rowRemoved", `${ledger} ${id}`],
      ["earningsDiffer", `anchor ${anchor}`],
    ];
  },
  "a row that was changed, in coins, receiver or time, with update_time as it was": async () => {
    const [fan, anchor] = [await funded(intruder, caller, 50), newUser()];
    const gifts = await give(intruder, caller, fan, [
      { receiverId: anchor },
      { receiverId: anchor },
      { receiverId: anchor },
    ]);
    const ids = await Promise.all(gifts.map(async ({ orderId }) => (await tradeOf(orderId)).id));
    const keep = "update_time = create_time";
    await run(`UPDATE ${ledger} SET num = -1, ${keep} WHERE id = ?`, [ids[0]]);
    await run(`UPDATE ${ledger} SET counterparty_id = 4711, ${keep} WHERE id = ?`, [ids[1]]);
    await run(`UPDATE ${ledger} SET create_time = create_time - INTERVAL 1 DAY WHERE id = ?`, [ids[2]]);
    return [
      ...ids.map((id): Expected => ["rowChanged", `${ledger} ${id}`, `user_id ${fan}`]),
      ["giftDiffers", `gift order ${gifts[0]!.orderId}`],
      ["giftDiffers", `gift order ${gifts[1]!.orderId}`],
    ];
  },
  "a row that was inserted with the sums to it, in the ledger of coins and in that of income": async () => {
    const user = await funded(intruder, caller, 50);
    await run(
      `INSERT INTO ${ledger} (user_id, num, type, status, biz_id, balance_after) VALUES (?, 1000, 3, 1, 'inserted', 1050)`,
      [user],
    );
    await run("UPDATE t_qiyu_currency_account SET current_balance = 1050 WHERE user_id = ?", [user]);
    await run("INSERT INTO t_income_posting (anchor_id, kind, points, biz_id) VALUES (?, 0, 500, 'gifts:x:1')", [user]);
    await run("INSERT INTO t_anchor_income (user_id, earned_points) VALUES (?, 500)", [user]);
    const [posting] = await rows<{ id: string }>(
      "wallet",
      "SELECT id FROM t_income_posting WHERE biz_id = 'gifts:x:1'",
    );
    return [
      ["rowUnsealed", `${ledger} ${(await tradeOf("inserted")).id}`, `user_id ${user}`],
      ["rowUnsealed", `t_income_posting ${posting?.id}`],
      ["earningsDiffer", `anchor ${user}`],
    ];
  },
  "a row that was inserted in the place and with the time of one that was removed": async () => {
    const user = await funded(intruder, caller, 50);
    const { id } = await tradeOf(`order-${user}`);
    await run(`UPDATE ${ledger} SET id = id + 1000000000000 WHERE id = ?`, [id]);
    return [
      ["rowRemoved", `${ledger} ${id}`],
      ["rowUnsealed", `${ledger} ${BigInt(id) + 1_000_000_000_000n}`],
    ];
  },
  "a seal that was removed from its chain, and one that was forged": async () => {
    const user = await funded(intruder, caller, 1_000);
    const { id: first } = await tradeOf(`order-${user}`);
    // The roll-up may take turns with these gifts in several chains: two neighbours of one chain over this user's rows.
    const last = await eventually("two seals follow each other", async () => {
      await give(intruder, caller, user, [{}]);
      const pairs = await rows<{ writer: string; number: string; id: string }>(
        "wallet",
        `SELECT b.id, b.writer, b.number FROM t_ledger_seal a JOIN t_ledger_seal b ON b.writer = a.writer AND b.number = a.number + 1
         WHERE a.book = 1 AND b.book = 1 AND a.first_id >= ? AND b.number > 3 ORDER BY b.id DESC LIMIT 1`,
        [first],
      );
      return pairs[0];
    });
    await run("UPDATE t_ledger_seal SET row_sum = row_sum - 1 WHERE id = ?", [last.id]);
    await run("DELETE FROM t_ledger_seal WHERE writer = ? AND number = ?", [last.writer, Number(last.number) - 1]);
    return [
      ["sealForged", `seal ${last.writer}/${last.number}`],
      ["sealRemoved", `chain ${last.writer} at ${last.number}`],
    ];
  },
  "a checkpoint that was rewritten, and one that was removed": async () => {
    const [last] = await rows<{ number: string }>("wallet", "SELECT MAX(number) AS number FROM t_ledger_checkpoint");
    const number = Number(last?.number);
    await run("UPDATE t_ledger_checkpoint SET heads = '[]' WHERE number = ?", [number - 1]);
    await run("DELETE FROM t_ledger_checkpoint WHERE number = ?", [number - 3]);
    return [
      ["checkpointForged", `checkpoint ${number - 1}`],
      ["checkpointRemoved", `checkpoint ${number - 3}`],
    ];
  },
  "a gift record that is missing, doubled, or has another price": async () => {
    const fan = await funded(intruder, caller, 100);
    const gifts = await give(intruder, caller, fan, [{}, {}, {}]);
    const [missing, priced, doubled] = gifts.map(({ orderId }) => orderId);
    await run(`DELETE FROM ${gift()} WHERE order_id = ?`, [missing]);
    await run(`UPDATE ${gift()} SET price = 1 WHERE order_id = ?`, [priced]);
    await run(
      `INSERT INTO ${gift()} (order_id, user_id, object_id, room_id, gift_id, count, price, status, content_hash, send_time)
       SELECT CONCAT(order_id, '-2'), user_id, object_id, room_id, gift_id, count, price, status, content_hash, send_time
       FROM ${gift()} WHERE order_id = ?`,
      [doubled],
    );
    return [
      ["giftDiffers", `gift order ${priced}`],
      ["giftWithoutCharge", `gift order ${doubled}-2`],
      ["giftNotRecorded", `gift order ${missing}`],
    ];
  },
  "a credit without an order, and one of an order of another amount": async () => {
    const [one, other] = [newUser(), newUser()];
    await insertOrder(intruder, `order-${other}`, other, 1);
    for (const user of [one, other])
      await publish("pay.recharge", {
        ...{ orderId: `order-${user}`, userId: user, coins: 1_000_000, amount: 1, bizCode: 10001 },
        time: new Date().toISOString(),
      });
    return [
      ["creditWithoutOrder", `order order-${one}`],
      ["creditWithoutOrder", `order order-${other}`],
    ];
  },
  "a paid order without its credit, a refunded one whose coins stayed, and coins taken back of one that is paid":
    async () => {
      await insertOrder(intruder, "never-credited", newUser(), 5);
      const [other, third] = [await funded(intruder, caller, 50), await funded(intruder, caller, 50)];
      await run(`UPDATE ${orders()} SET status = 5 WHERE order_id = ?`, [`order-${other}`]);
      await run(`UPDATE ${orders()} SET update_time = UTC_TIMESTAMP(3) - INTERVAL 1 HOUR WHERE order_id IN (?)`, [
        ["never-credited", `order-${other}`],
      ]);
      await publish("pay.refund", {
        ...{
          orderId: `order-${third}`,
          userId: third,
          coins: 50,
          amount: 500,
          reason: "x",
          time: new Date().toISOString(),
        },
      });
      return [
        ["orderNotCredited", "order never-credited"],
        ["refundUnrecorded", `order order-${other}`],
        ["refundWithoutOrder", `order refund:order-${third}`],
      ];
    },
  "a held gift without its hold, and an anchor's sum that was set by hand": async () => {
    const [fan, anchor] = [await funded(intruder, caller, 50), newUser()];
    const [one] = await give(intruder, caller, fan, [{ receiverId: anchor }]);
    await run(
      "INSERT INTO t_income_hold_gift (hold_biz_id, gift_biz_id, coins_from, coins, points) VALUES ('hold:x', ?, 0, 1, 50)",
      [one!.orderId],
    );
    await eventually("her income is rolled up", async () => {
      const sums = await rows("wallet", "SELECT user_id FROM t_anchor_income WHERE user_id = ?", [anchor]);
      return sums.length > 0;
    });
    await run("UPDATE t_anchor_income SET earned_points = earned_points + 100 WHERE user_id = ?", [anchor]);
    return [
      ["holdDiffers", "hold:x"],
      ["incomeDiffers", `anchor ${anchor}`],
      ["earningsDiffer", `anchor ${anchor}`],
    ];
  },
};

describe("is found and named:", () => {
  const expected = new Map<string, Expected[]>();
  // All at once, so that a pass finds all of it.
  beforeAll(async () => {
    for (const [name, tamper] of Object.entries(tamperings)) expected.set(name, await tamper());
  });

  test.each(Object.keys(tamperings))("%s", async (name) => {
    for (const [kind, subject, detail] of expected.get(name)!)
      expect((await found(kind, subject)).detail).toContain(detail ?? "");
  });

  test("and beyond that only what follows of it", async () => {
    const known = new Set([...expected.values()].flat().map(([kind, subject]) => `${kind} ${subject}`));
    const others = (await findings()).filter(({ kind, subject }) => !known.has(`${kind} ${subject}`));
    // What follows of the same: a changed row also changes the sums of its account and anchor.
    const sums = ["balanceDiffers", "chargedDiffers", "earningsDiffer", "accountMissing", "rowUnsealed", "chainCut"];
    expect(
      others.filter(
        ({ kind }) =>
          !sums
            .concat(
              "checkpointForged",
              "refundNotTaken",
              "creditWithoutOrder",
              "adjustmentWithoutOrder",
              "giftPriceDiffers",
            )
            .includes(kind),
      ),
    ).toEqual([]);
  });

  test("a charge without a record, but only once it is older than what may be under way; with its record it is gone", async () => {
    const fan = await funded(intruder, caller, 100);
    const gifts = [giftOf(fan), giftOf(fan)];
    const at = Date.now();
    await settle(caller, gifts);
    const subject = `gift order ${gifts[0]!.orderId}`;
    await found("giftNotRecorded", subject);
    expect(Date.now() - at).toBeGreaterThan(underWayMs - 500);
    await record(intruder, gifts);
    await eventually(
      "it is gone",
      async () => (await findings()).find((one) => one.subject === subject)?.gone_time,
      30_000,
    );
  });

  test("by verify too, which ends with 2 and names it, and with 1 where it cannot compare", async () => {
    const user = await funded(intruder, caller, 50);
    await run("UPDATE t_qiyu_currency_account SET current_balance = 51 WHERE user_id = ?", [user]);
    const { code, out } = await verify("--json");
    const named = JSON.parse(out).differences.find(({ subject }: { subject: string }) => subject === `account ${user}`);
    expect([code, named?.kind]).toEqual([2, "balanceDiffers"]);
    const keys = process.env.BOOK_KEYS as string;
    process.env.BOOK_KEYS = "unknown:short";
    expect((await verify()).code).toBe(1);
    process.env.BOOK_KEYS = keys;
  });

  test("in the auditor's readiness, which is degraded, and in the metrics", async () => {
    const report = (await caller.call("auditor.health", {}, { nodeID: auditorNode.nodeID })) as HealthReport;
    expect(report.books).toEqual({ degraded: expect.stringContaining("balanceDiffers") });
    expect(config().PROFILE).toBe("local");
    const values = await eventually("the gauge", () => {
      const [metric] = auditorNode.metrics.list({ includes: "ovation.books.differences" }) as unknown as {
        values: { labels: { kind: string }; value: number }[];
      }[];
      return metric?.values.find(({ labels, value }) => labels.kind === "balanceDiffers" && value > 0);
    });
    expect(values.value).toBeGreaterThan(0);
  });
});
