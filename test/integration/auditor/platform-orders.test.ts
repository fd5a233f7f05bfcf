import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import type { Connection } from "mysql2/promise";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { call } from "../../../services/contracts.ts";
import platform from "../../../services/platform/platform.service.ts";
import { platformBizId } from "../../../services/wallet/platform-orders.contract.ts";
import { closeAudits } from "../../support/sealed-audits.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { newKey } from "../platform/money-books.ts";
import {
  findings,
  found,
  funded,
  give,
  newUser,
  openDatabases,
  passesDone,
  refund,
  startAuditor,
  startWallet,
  underWayMs,
} from "./bookkeeping.ts";

/** The platform's orders of money against the ledgers, as the auditor compares them. */

jest.setTimeout(120_000);

let caller: ServiceBroker;
let intruder: Connection;
let apiKey: string;

beforeAll(async () => {
  intruder = await openDatabases();
  await startWallet("wallet-1");
  const settings = { ...(platform.settings as object), ordersEveryMs: 100 } as ServiceSchema["settings"];
  await startNode("platform-1", [{ ...platform, settings }]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet", "platform"]);
  apiKey = await newKey(caller);
  await startAuditor("auditor-1");
});
afterAll(async () => {
  await intruder?.end();
  await closeAudits();
  await stopAll();
});

const run = (sql: string, values: unknown[] = []) => intruder.query(sql, values);
const orders = () => `${databaseName("platform")}.t_money_order`;
const states = () => `${databaseName("platform")}.t_money_state`;
const bizId = platformBizId;
let next = 0;
const newId = () => `o-${next++}`;
/** The users and orders that no finding may be about, and when all of them was written. */
let lawful: { ids: string[]; at: number };

async function credited(userId: string, coins: number): Promise<string> {
  const externalOrderId = newId();
  await call(caller, "platform.credit", { apiKey, userId, coins, externalOrderId });
  return externalOrderId;
}
const adjust = (userId: string, coins: number, writeId = newId()) =>
  call(caller, "platform.adjust", { apiKey, userId, coins, reason: "r", writeId }).catch(failureName);

const tampered = (id: string, set: string) =>
  run(`UPDATE ${states()} SET ${set} WHERE order_id = (SELECT id FROM ${orders()} WHERE biz_id = ?)`, [id]);

test("orders that were carried out, refused, proposed or expired are no difference, nor what they paid off of a debt", async () => {
  const [user, anchor] = [await funded(intruder, caller, 50), newUser()];
  await give(intruder, caller, user, [{ receiverId: anchor }, { receiverId: anchor }]);
  await refund(intruder, user, 50);
  expect(await call(caller, "wallet.balance", { userId: user })).toMatchObject({ balance: 0, debt: 20 });
  await credited(user, 15);
  await adjust(user, 30);
  expect(await adjust(user, -26)).toBe("balanceShort");
  await adjust(user, -25);
  const expiring = newId();
  expect(await adjust(user, 20_000, expiring)).toHaveProperty("proposalId");
  expect(await adjust(user, 20_000)).toHaveProperty("proposalId");
  await tampered(bizId("adjust", expiring), "expires_time = UTC_TIMESTAMP(3)");
  await eventually(
    "the income",
    async () => (await call(caller, "wallet.income", { userId: anchor })).earnedPoints > 0,
  );
  const payout = { apiKey, userId: anchor, points: 70 };
  await call(caller, "platform.payout", { ...payout, payoutId: newId() });
  const beyond = call(caller, "platform.payout", { ...payout, points: 10_000, payoutId: newId() });
  expect(await beyond.catch(failureName)).toBe("balanceShort");
  await call(caller, "wallet.payout", { userId: anchor, points: 5, payoutId: "by-a-person", operator: "alice" });
  await eventually("it has expired", async () => {
    const [[row]] = (await run(
      `SELECT s.state FROM ${states()} s JOIN ${orders()} o ON o.id = s.order_id WHERE o.biz_id = ?`,
      [bizId("adjust", expiring)],
    )) as unknown as [{ state: number }[]];
    return row?.state === 5;
  });
  await passesDone(2);
  expect(await findings()).toEqual([]);
  lawful = { ids: [user, anchor, ...Array.from({ length: next }, (_, n) => `o-${n}`)], at: Date.now() };
});

describe("is found and named:", () => {
  /** The findings of each case. */
  const cases: Record<string, () => Promise<[kind: string, subject: string][]>> = {
    "an adjustment that nobody ordered": async () => {
      await run(
        "INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after) VALUES (?, 9, 3, 1, 'by-hand', 9)",
        [newUser()],
      );
      return [["adjustmentWithoutOrder", "order by-hand"]];
    },
    "a credit under the name of an order of the platform that nobody ordered": async () => {
      const id = bizId("credit", "none");
      await run(
        "INSERT INTO t_qiyu_currency_trade (user_id, num, type, status, biz_id, balance_after) VALUES (?, 9, 1, 1, ?, 9)",
        [newUser(), id],
      );
      return [["creditWithoutOrder", `order ${id}`]];
    },
    "a payout that nobody ordered": async () => {
      const id = bizId("payout", "none");
      await run("INSERT INTO t_income_posting (anchor_id, kind, points, biz_id) VALUES (?, 3, -5, ?)", [newUser(), id]);
      return [["payoutWithoutOrder", `order ${id}`]];
    },
    "an order whose amount was changed": async () => {
      const id = bizId("credit", await credited(newUser(), 5));
      await run(`UPDATE ${orders()} SET amount = 500 WHERE biz_id = ?`, [id]);
      return [
        ["creditWithoutOrder", `order ${id}`],
        ["platformOrderDiffers", `order ${id}`],
      ];
    },
    "an order that was carried out and is said to be declined": async () => {
      const id = bizId("credit", await credited(newUser(), 5));
      await tampered(id, "state = 4");
      return [
        ["creditWithoutOrder", `order ${id}`],
        ["platformOrderDiffers", `order ${id}`],
      ];
    },
    "a proposal that is said to be done": async () => {
      const writeId = newId();
      await adjust(newUser(), 20_000, writeId);
      await tampered(bizId("adjust", writeId), "state = 2");
      return [["platformOrderDiffers", `order ${bizId("adjust", writeId)}`]];
    },
    "an order that is pending for too long": async () => {
      const writeId = newId();
      await adjust(newUser(), 20_000, writeId);
      // The wallet does not know a proposal's signature.
      await tampered(bizId("adjust", writeId), "state = 1, update_time = update_time - INTERVAL 1 HOUR");
      return [["platformOrderDiffers", `order ${bizId("adjust", writeId)}`]];
    },
    "a rejected adjustment whose order is said to be done": async () => {
      const writeId = newId();
      expect(await adjust(newUser(), -5, writeId)).toBe("balanceShort");
      await tampered(bizId("adjust", writeId), "state = 2, refusal = NULL");
      return [
        ["adjustmentWithoutOrder", `order ${bizId("adjust", writeId)}`],
        ["platformOrderDiffers", `order ${bizId("adjust", writeId)}`],
      ];
    },
    "an order that was removed with its state": async () => {
      const id = bizId("credit", await credited(newUser(), 5));
      await run(`DELETE s FROM ${states()} s JOIN ${orders()} o ON o.id = s.order_id WHERE o.biz_id = ?`, [id]);
      await run(`DELETE FROM ${orders()} WHERE biz_id = ?`, [id]);
      return [["creditWithoutOrder", `order ${id}`]];
    },
  };
  const expected = new Map<string, [string, string][]>();
  beforeAll(async () => {
    for (const [name, tamper] of Object.entries(cases)) expected.set(name, await tamper());
  });

  test.each(Object.keys(cases))("%s", async (name) => {
    for (const [kind, subject] of expected.get(name) as [string, string][]) await found(kind, subject);
  });

  test("an order that somebody else wrote or changed, by its seal", async () => {
    await found("rowChanged", `t_money_order of platform ${await idOf("an order whose amount was changed")}`);
    await run(
      `INSERT INTO ${orders()} (biz_id, kind, user_id, amount, proposed, key_id, signed_order, create_time)
       VALUES ('platform:credit:written', 0, 1, 5, 0, 'x', 'x', UTC_TIMESTAMP(3))`,
    );
    const [[row]] = (await run(`SELECT id FROM ${orders()} WHERE biz_id = 'platform:credit:written'`)) as unknown as [
      { id: string }[],
    ];
    await found("rowUnsealed", `t_money_order of platform ${row?.id}`);
  });

  async function idOf(name: string): Promise<string> {
    const subject = expected.get(name)?.[0]?.[1].slice("order ".length);
    const [[row]] = (await run(`SELECT id FROM ${orders()} WHERE biz_id = ?`, [subject])) as unknown as [
      { id: string }[],
    ];
    return String(row?.id);
  }
});

test("lawful orders are no difference either once they are older than what may be under way", async () => {
  await pause(Math.max(0, lawful.at + underWayMs - Date.now()));
  await passesDone();
  const about = ({ subject }: { subject: string }) => subject.split(/[ :]/).some((part) => lawful.ids.includes(part));
  expect((await findings()).filter(about)).toEqual([]);
});
