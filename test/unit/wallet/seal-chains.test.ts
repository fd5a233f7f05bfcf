import { randomBytes } from "node:crypto";
import { fail } from "../../../broker/failure.ts";
import { namedKeysIn } from "../../../config/named-keys.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import { SealChains, type Sealing } from "../../../mixins/seals/seal-chains.ts";
import { differingRows, noDigest, rowTags, rowText, sealDigest, verdictOf } from "../../../mixins/seals/seal-form.ts";
import { sealedLedgers } from "../../../services/book-seals.ts";

const keys = namedKeysIn(`one:${randomBytes(32).toString("base64url")}`);

interface Written {
  writer: string;
  number: number;
  previous: string;
}

/** The database as far as seals see it: what a transaction that commits has written. */
function open() {
  const committed: Written[] = [];
  /** Places that somebody else has taken, as writer/number. */
  const taken = new Set<string>();
  const chains = new SealChains({ service: "wallet", keys });
  const seal = (sealing: Sealing) => {
    sealing.setTime("2026-11-26 12:00:00.000");
    sealing.cover(sealedLedgers.trades, 1, [["7", 5, 1, 1, "order", null, 0, 5, null]], 5n);
  };
  /** A transaction that seals one row and ends as `end` says. */
  const transaction = (end: () => Promise<void> = async () => {}, times = 1) =>
    chains.transaction(
      {
        async transaction(work) {
          let written: Written[] = [];
          const tx = {
            run: async (_sql: string, values: unknown[]) => {
              const hex = (value: unknown) => (value as Buffer).toString("hex");
              if (taken.has(`${values[0]}/${values[1]}`)) throw Object.assign(new Error("duplicate"), { errno: 1062 });
              written = [{ writer: values[0] as string, number: values[1] as number, previous: hex(values[2]) }];
              return { affectedRows: 1 };
            },
          } as unknown as Transaction;
          let result = await work(tx);
          for (let again = 1; again < times; again++) result = await work(tx);
          await end();
          committed.push(...written);
          return result;
        },
      },
      async (_tx, sealing) => seal(sealing),
    );
  return { committed, transaction, taken };
}

const places = (seals: readonly Written[]) => {
  const writers = [...new Set(seals.map(({ writer }) => writer))];
  return seals.map(({ writer, number }) => `${writers.indexOf(writer)}/${number}`);
};

describe("the chains of seals", () => {
  test("transactions one after the other are one chain, from its beginning on", async () => {
    const { committed, transaction } = open();
    for (let n = 0; n < 3; n++) await transaction();
    expect(places(committed)).toEqual(["0/1", "0/2", "0/3"]);
    expect(committed[0]?.previous).toBe(noDigest);
  });

  test("transactions at once have a chain each", async () => {
    const { committed, transaction } = open();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const both = gates.map(({ promise }) => transaction(() => promise));
    gates[1]?.resolve();
    await both[1];
    gates[0]?.resolve();
    await both[0];
    await transaction();
    expect(places(committed)).toEqual(["0/1", "1/1", "1/2"]);
  });

  test("work that runs again after a deadlock, or is rolled back, leaves no gap", async () => {
    const { committed, transaction } = open();
    await transaction(undefined, 3);
    const refused = new Error("out of range");
    await expect(transaction(() => Promise.reject(refused))).rejects.toBe(refused);
    await transaction();
    expect(places(committed)).toEqual(["0/1", "0/2"]);
  });

  test("after a commit whose outcome is unknown the chain is not continued", async () => {
    const { committed, transaction } = open();
    await transaction();
    const error = fail("unavailable");
    await expect(transaction(() => Promise.reject(error))).rejects.toBe(error);
    await transaction();
    expect(places(committed)).toEqual(["0/1", "1/1"]);
  });

  test("a duplicate key of the work is the caller's, and leaves no gap", async () => {
    const { committed, transaction } = open();
    await transaction();
    const error = Object.assign(new Error(), { errno: 1062 });
    await expect(transaction(() => Promise.reject(error))).rejects.toBe(error);
    await transaction();
    expect(places(committed)).toEqual(["0/1", "0/2"]);
  });

  test("where somebody has put a seal at the next place, everything is done once more in a new chain", async () => {
    const { committed, transaction, taken } = open();
    await transaction();
    taken.add(`${committed[0]?.writer}/2`);
    await transaction();
    await transaction();
    expect(places(committed)).toEqual(["0/1", "1/1", "1/2"]);
  });
});

test("a service seals its own tables alone", async () => {
  const chains = new SealChains({ service: "gift", keys });
  const work = (db: Pick<Transaction, "run">) => ({
    transaction: (run: (tx: Transaction) => unknown) => run(db as Transaction),
  });
  const sealing = chains.transaction(work({ run: async () => ({}) as never }) as never, async (_tx, seals) => {
    seals.setTime("2026-11-26 12:00:00.000");
    seals.cover(sealedLedgers.trades, 1, [[]], 0n);
  });
  await expect(sealing).rejects.toThrow("is sealed by wallet");
});

test("every sealed table has a number of its own", () => {
  const books = Object.values(sealedLedgers).map(({ book }) => book);
  expect(new Set(books).size).toBe(books.length);
});

describe("a seal", () => {
  const seal = {
    ...{
      service: "gift",
      writer: "a".repeat(32),
      number: 2,
      previous: "b".repeat(64),
      book: 1,
      firstId: "7",
      rows: 2,
      sum: "-5",
    },
    ...{ rowsTime: "2026-11-26 12:00:00.000", rowsDigest: "c".repeat(64) },
  };
  const digest = sealDigest(keys.signing, seal);

  test.each(Object.keys(seal))("is another one with another %s", (field) => {
    const changed = { ...seal, [field]: typeof seal[field as keyof typeof seal] === "number" ? 9 : "9" };
    expect(verdictOf(keys, "one", digest, (key) => sealDigest(key, changed))).toBe("wrong");
  });

  test("is right with its key alone, and cannot be checked without it", () => {
    expect(verdictOf(keys, "one", digest, (key) => sealDigest(key, seal))).toBe("right");
    const others = namedKeysIn(`one:${randomBytes(32).toString("base64url")}`);
    expect(verdictOf(others, "one", digest, (key) => sealDigest(key, seal))).toBe("wrong");
    expect(verdictOf(keys, "two", digest, (key) => sealDigest(key, seal))).toBe("unknownKey");
  });

  test("names the rows that differ", () => {
    const texts = [
      ["1", null, "x"],
      ["2", 3, "y"],
      ["3", 4, "z"],
    ].map(rowText);
    expect(texts[0]).toBe("1\t\tx");
    expect(differingRows(rowTags(texts), [texts[0]!, "2\t4\ty", texts[2]!])).toEqual([1]);
    expect(differingRows(Buffer.alloc(0), texts)).toEqual([0, 1, 2]);
  });
});
