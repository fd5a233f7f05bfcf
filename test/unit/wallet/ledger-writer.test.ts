import fc from "fast-check";
import { fail, isUnavailable } from "../../../broker/failure.ts";
import { HeldFilters } from "../../../mixins/archive/held-filters.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import { LedgerWriter } from "../../../services/wallet/ledger-writer.ts";
import type { Command, Outcome } from "../../../services/wallet/posting.ts";
import type { WriterLimits } from "../../../services/wallet/writer-ports.ts";

interface Trade {
  bizId: string;
  userId: string;
  num: number;
  status: number;
  counterpartyId: string | null;
  incomePoints: number;
  balanceAfter: number;
  reason: string | null;
}

const startBalance = 100;
const refusedByDatabase = "999";

/** A transaction whose end the test decides. */
interface Running {
  readonly users: string[];
  readonly commands: number;
  commit(): void;
  fail(error: unknown): void;
}

/** The wallet's tables in memory, changed by the store's statements alone. */
class Ledger {
  readonly trades: Trade[] = [];
  readonly balances = new Map<string, number>();
  reads = 0;

  /** One transaction: its rows are visible once `finish` is called. */
  begin(): { tx: Transaction; users: string[]; trades: Trade[]; finish(): void } {
    const users: string[] = [];
    const trades: Trade[] = [];
    const balances = new Map<string, number>();
    const accountOf = (id: string) => ({
      ...{ user_id: id, current_balance: String(this.balances.get(id) ?? startBalance) },
      ...{ total_charged: "0", debt: "0", status: 1 },
    });
    const tx = {
      inTransaction: true,
      query: async (sql: string, values: unknown[] = []) => {
        const [ids] = values as [string[]];
        if (sql.includes("FROM t_qiyu_currency_account")) {
          users.push(...ids);
          return ids.map(accountOf);
        }
        if (!sql.includes("FROM t_qiyu_currency_trade")) return [];
        this.reads++;
        return this.trades.filter(({ bizId }) => ids.includes(bizId)).map(toRow);
      },
      run: async (sql: string, values: unknown[] = []) => {
        if (sql.includes("INTO t_qiyu_currency_trade")) trades.push(...this.insert(values));
        if (sql.includes("INTO t_qiyu_currency_account"))
          for (const [id, balance] of values[0] as [string, number][]) balances.set(id, balance);
        return { affectedRows: 1 };
      },
    } as unknown as Transaction;
    const finish = () => {
      this.trades.push(...trades);
      for (const [id, balance] of balances) this.balances.set(id, balance);
    };
    return { tx, users, trades, finish };
  }

  private insert(values: unknown[]): Trade[] {
    const rows = (values[0] as unknown[][]).map((row) => {
      const [userId, num, , status, bizId, counterpartyId, incomePoints, balanceAfter, reason] = row;
      return { userId, num, status, bizId, counterpartyId, incomePoints, balanceAfter, reason } as Trade;
    });
    if (rows.some(({ counterpartyId }) => counterpartyId === refusedByDatabase))
      throw Object.assign(new Error("out of range"), { errno: 1264 });
    if (rows.some(({ bizId }) => this.trades.some((trade) => trade.bizId === bizId)))
      throw Object.assign(new Error("duplicate"), { errno: 1062 });
    return rows;
  }
}

function toRow({ bizId, userId, num, status, counterpartyId, incomePoints, balanceAfter, reason }: Trade) {
  return {
    ...{ biz_id: bizId, user_id: userId, num: String(num), status, reason, counterparty_id: counterpartyId },
    ...{ counterparty_income_points: String(incomePoints), balance_after: String(balanceAfter) },
  };
}

interface Scene {
  /** Transactions wait for the test to end them. */
  gated?: boolean;
  bounds?: Partial<WriterLimits>;
}

function open({ gated = false, bounds = {} }: Scene = {}) {
  const ledger = new Ledger();
  const running: Running[] = [];
  const batches: { users: string[]; trades: number }[] = [];
  const lockedElsewhere = new Set<string>();
  const locksHeld = new Set<string>();
  const warnings: string[] = [];
  let most = 0;
  let clock = 0;
  const writer = new LedgerWriter(
    {
      async transaction(work) {
        const { tx, users, trades, finish } = ledger.begin();
        const result = await work(tx, {
          time: async () => "2026-11-26 12:00:00.000",
          setTime() {},
          cover() {},
        });
        if (gated)
          await new Promise<void>((resolve, reject) => {
            const end = (how: () => void) => () => {
              running.splice(running.indexOf(one), 1);
              how();
            };
            const one: Running = {
              ...{ users, commands: trades.length, commit: end(resolve) },
              fail: (error) => end(() => reject(error))(),
            };
            const busy = running.flatMap((other) => other.users);
            expect(users.filter((user) => busy.includes(user))).toEqual([]);
            running.push(one);
            most = Math.max(most, running.length);
          });
        finish();
        batches.push({ users, trades: trades.length });
        return result;
      },
      async acquire(keys) {
        const acquired = new Set(keys.filter((key) => !lockedElsewhere.has(key)));
        for (const key of acquired) {
          expect(locksHeld.has(key)).toBe(false);
          locksHeld.add(key);
        }
        return {
          ...{ acquired, degraded: false },
          unlock: async () => {
            for (const key of acquired) locksHeld.delete(key);
          },
        };
      },
      archive: { holding: (work) => work(async () => new HeldFilters([])) },
      writeEvents: async () => {},
      committed: () => {},
      now: () => clock,
      warn: (_about, text) => warnings.push(text),
    },
    {
      ...{
        batchCommands: 1_000,
        batchesInFlight: 1,
        queuedCommands: 100,
        staleMs: 60_000,
        lockWaitMs: 1_000,
        lockRetryMs: 20,
      },
      ...bounds,
    },
  );
  const pass = async (ms: number) => {
    clock += ms;
    await jest.advanceTimersByTimeAsync(ms);
  };
  return { ledger, writer, running, batches, lockedElsewhere, locksHeld, warnings, pass, most: () => most };
}

let next = 0;
const gift = (userId: string, over: Partial<Extract<Command, { kind: "gift" }>> = {}): Command => ({
  ...{ kind: "gift", bizId: `gift-${next++}`, userId, receiverId: "77", amount: 10, incomePoints: 5 },
  ...over,
});
const users = (count: number) => Array.from({ length: count }, (_, n) => String(1000 + n));
const balances = (outcomes: Outcome[]) => outcomes.map(({ balanceAfter }) => balanceAfter);

/** Runs all microtasks and due timers. */
const settled = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => jest.useFakeTimers({ doNotFake: ["queueMicrotask", "nextTick"] }));
afterEach(() => jest.useRealTimers());

describe("group commit", () => {
  test("a command whose caller will have given up is not begun: a writer that fell behind catches up with the repeats", async () => {
    const { writer, running, batches, pass } = open({ gated: true, bounds: { staleMs: 4_000 } });
    const slow = writer.submit(gift("11"));
    await settled();
    const [stale, repeat] = [gift("12"), gift("11")];
    const early = writer.submit(stale).catch((error: unknown) => error);
    await pass(3_999);
    const late = writer.submit(repeat);
    await pass(1);
    running[0]?.commit();
    await slow;
    await settled();
    expect(isUnavailable(await early)).toBe(true);
    running[0]?.commit();
    await late;
    const again = writer.submit(stale);
    await settled();
    running[0]?.commit();
    expect(await again).toMatchObject({ status: "done" });
    expect(batches.map(({ users: [user] }) => user)).toEqual(["11", "11", "12"]);
  });

  test("of commands that were submitted together none is begun once one was rejected: submitted again, a user's keep their order", async () => {
    const { writer, running, batches } = open({ gated: true, bounds: { batchCommands: 2, batchesInFlight: 1 } });
    const commands = [gift("11"), gift("11"), gift("11"), gift("12")];
    const other = writer.submit(gift("13"));
    const together = writer.submitAll(commands).catch((error: unknown) => error);
    await settled();
    running[0]?.commit();
    await other;
    await settled();
    running[0]?.fail(fail("unavailable"));
    expect(isUnavailable(await together)).toBe(true);
    await settled();
    expect([running.length, writer.waiting]).toEqual([0, 0]);
    const again = writer.submitAll(commands);
    for (let n = 0; n < 3; n++) {
      await settled();
      running[0]?.commit();
    }
    expect(balances(await again)).toEqual([90, 80, 70, 90]);
    expect(batches.flatMap(({ users: own }) => own)).toEqual(expect.arrayContaining(["11", "12", "13"]));
  });

  test("an idle writer commits at once, without a timer", async () => {
    const { writer, batches } = open();
    expect(await writer.submit(gift("11"))).toMatchObject({ status: "done", balanceAfter: 90 });
    expect(batches).toEqual([{ users: ["11"], trades: 1 }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("commands of one turn are one transaction; commands that arrive while it runs are the next one", async () => {
    const { writer, running, batches } = open({ gated: true });
    const first = users(3).map((user) => writer.submit(gift(user)));
    await settled();
    const later: Promise<Outcome>[] = [];
    for (const user of [...users(20), ...users(20)]) {
      later.push(writer.submit(gift(user)));
      await settled();
    }
    expect([running.length, writer.waiting]).toEqual([1, 40]);
    running[0]?.commit();
    await settled();
    running[0]?.commit();
    expect(balances(await Promise.all(first))).toEqual([90, 90, 90]);
    expect(balances(await Promise.all(later.slice(20)))).toEqual(users(20).map((_, n) => (n < 3 ? 70 : 80)));
    expect(batches.map(({ trades }) => trades)).toEqual([3, 40]);
  });

  test("the commands of a batch and the batches in flight are bounded", async () => {
    const { writer, running, batches, most } = open({ gated: true, bounds: { batchCommands: 10, batchesInFlight: 3 } });
    const all = users(45).map((user) => writer.submit(gift(user)));
    await settled();
    expect(running.map(({ commands }) => commands)).toEqual([10, 10, 10]);
    while (running.length > 0) {
      running[0]?.commit();
      await settled();
    }
    await Promise.all(all);
    expect(most()).toBe(3);
    expect(batches.map(({ trades }) => trades)).toEqual([10, 10, 10, 10, 5]);
  });

  test("no two transactions hold the same user, and a user's commands keep their order, whatever arrives and fails", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ put: fc.constantFrom(...users(6)) }) },
      { weight: 2, arbitrary: fc.record({ commit: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ fail: fc.nat(2) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { writer, running, ledger, locksHeld } = open({
          ...{ gated: true, bounds: { batchCommands: 4, batchesInFlight: 3 } },
        });
        const ends = new Map<string, Promise<Outcome | "unavailable">[]>();
        for (const one of steps) {
          if ("put" in one) {
            const end = writer.submit(gift(one.put, { amount: 1, incomePoints: 0 })).catch((error) => {
              if (!isUnavailable(error)) throw error;
              return "unavailable" as const;
            });
            ends.set(one.put, [...(ends.get(one.put) ?? []), end]);
          } else if ("commit" in one) running[one.commit]?.commit();
          else running[one.fail]?.fail(fail("unavailable"));
          await settled();
        }
        while (running.length > 0) {
          running[0]?.commit();
          await settled();
        }
        for (const [user, own] of ends) {
          const done = (await Promise.all(own)).filter((end) => end !== "unavailable");
          expect(balances(done)).toEqual(done.map((_, n) => startBalance - 1 - n));
          expect(ledger.balances.get(user) ?? startBalance).toBe(startBalance - done.length);
        }
        await writer.drain();
        expect([writer.waiting, locksHeld.size]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  test("a repeat gets its first outcome, in a batch with new commands", async () => {
    const { writer, ledger } = open();
    const again = gift("11");
    await writer.submit(again);
    expect(ledger.reads).toBe(0);
    const ends = await Promise.all([again, gift("11"), gift("12")].map((command) => writer.submit(command)));
    expect(ends.map(({ repeated, balanceAfter }) => [repeated, balanceAfter])).toEqual([
      [true, 90],
      [false, 80],
      [false, 90],
    ]);
    expect([ledger.reads, ledger.trades.length, writer.counters.repeats]).toEqual([1, 3, 1]);
  });
});

describe("failures", () => {
  test("a batch that the database refuses is split by user: the others are written, the refused user's commands are rejected together", async () => {
    const { writer, ledger, locksHeld, warnings } = open();
    const [one, bad, two] = users(3) as [string, string, string];
    const commands = [gift(one), gift(bad), gift(bad, { receiverId: refusedByDatabase }), gift(two), gift(one)];
    const ends = await Promise.allSettled(commands.map((command) => writer.submit(command)));
    expect(ends.map(({ status }) => status)).toEqual([
      ...["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled"],
    ]);
    expect(ledger.trades.map(({ userId }) => userId)).toEqual([one, one, two]);
    await writer.drain();
    expect([writer.counters.splits, warnings.length, locksHeld.size]).toEqual([1, 1, 0]);
    expect(await writer.submit(gift(bad))).toMatchObject({ status: "done", balanceAfter: 90 });
  });

  test("`unavailable` rejects the whole batch without a split, and the waiting commands are written next", async () => {
    const { writer, running, ledger, locksHeld } = open({ gated: true });
    const lost = users(5).map((user) => writer.submit(gift(user)).catch((error: unknown) => error));
    await settled();
    const next = writer.submit(gift("1000"));
    running[0]?.fail(fail("unavailable"));
    await settled();
    expect((await Promise.all(lost)).every(isUnavailable)).toBe(true);
    expect(running.map((one) => one.users)).toEqual([["1000"]]);
    running[0]?.commit();
    expect(await next).toMatchObject({ status: "done", balanceAfter: 90 });
    await writer.drain();
    expect([writer.counters.splits, ledger.trades.length, locksHeld.size]).toEqual([0, 1, 0]);
  });
});

describe("a user whose lock is held elsewhere", () => {
  test("waits for it without delaying others, and keeps the order of her commands", async () => {
    const { writer, lockedElsewhere, pass, batches, warnings } = open();
    lockedElsewhere.add("wallet:11");
    const hers = [writer.submit(gift("11")), writer.submit(gift("11"))];
    expect(await writer.submit(gift("12"))).toMatchObject({ status: "done" });
    hers.push(writer.submit(gift("11")));
    await pass(100);
    expect(batches.map((batch) => batch.users)).toEqual([["12"]]);
    lockedElsewhere.clear();
    await pass(20);
    expect(balances(await Promise.all(hers))).toEqual([90, 80, 70]);
    expect(warnings).toEqual([]);
  });

  test("is written without the lock after `lockWaitMs`, with a warning", async () => {
    const { writer, lockedElsewhere, locksHeld, pass, warnings } = open();
    lockedElsewhere.add("wallet:11");
    let ended = false;
    const hers = writer.submit(gift("11")).finally(() => {
      ended = true;
    });
    await settled();
    await pass(990);
    expect(ended).toBe(false);
    await pass(40);
    expect(await hers).toMatchObject({ status: "done", balanceAfter: 90 });
    await writer.drain();
    expect([warnings.length, locksHeld.size]).toEqual([1, 0]);
  });
});

describe("bounds and drain", () => {
  test("drain ends where a command that waits for a lock was submitted with one that is rejected", async () => {
    const { writer, running, lockedElsewhere, pass } = open({ gated: true });
    lockedElsewhere.add("wallet:11");
    const together = writer.submitAll([gift("11"), gift("12")]).catch((error: unknown) => error);
    await settled();
    running[0]?.fail(fail("unavailable"));
    expect(isUnavailable(await together)).toBe(true);
    await settled();
    let drained = false;
    void writer.drain().then(() => {
      drained = true;
    });
    await pass(20);
    await settled();
    expect([drained, writer.waiting]).toEqual([true, 0]);
  });

  test("hasRoomFor counts waiting commands, including those that wait for a lock", async () => {
    const { writer, running, lockedElsewhere, pass } = open({ gated: true });
    expect([writer.hasRoomFor(100), writer.hasRoomFor(101)]).toEqual([true, false]);
    lockedElsewhere.add("wallet:11");
    const hers = Array.from({ length: 30 }, () => writer.submit(gift("11", { amount: 1, incomePoints: 0 })));
    await settled();
    const first = writer.submit(gift("12"));
    await settled();
    const rest = users(60).map((user) => writer.submit(gift(user)));
    await settled();
    expect([writer.waiting, writer.hasRoomFor(10), writer.hasRoomFor(11)]).toEqual([90, true, false]);
    lockedElsewhere.clear();
    while (running.length > 0) {
      running[0]?.commit();
      await pass(20);
    }
    await Promise.all([...hers, first, ...rest]);
    expect([writer.waiting, writer.hasRoomFor(100)]).toEqual([0, true]);
  });

  test("drain resolves once nothing waits, is parked or in flight, and at once in an idle writer", async () => {
    const { writer, running, lockedElsewhere, pass } = open({ gated: true });
    await writer.drain();
    lockedElsewhere.add("wallet:11");
    const ends = ["11", "12", "13"].map((user) => writer.submit(gift(user)));
    await settled();
    let drained = false;
    const drain = writer.drain().then(() => {
      drained = true;
    });
    running[0]?.commit();
    await settled();
    expect([running.length, drained]).toEqual([0, false]);
    lockedElsewhere.clear();
    await pass(20);
    expect([running.length, drained]).toEqual([1, false]);
    running[0]?.commit();
    await drain;
    expect(balances(await Promise.all(ends))).toEqual([90, 90, 90]);
  });
});
