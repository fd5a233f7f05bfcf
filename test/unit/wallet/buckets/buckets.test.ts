import fc from "fast-check";
import { limits } from "../../../../config/limits.ts";
import { nextOfSpread, shownBuckets } from "../../../../scripts/spread-buckets.ts";
import { newestFirst } from "../../../../services/newest-first.ts";
import { BucketMap } from "../../../../services/wallet/buckets/bucket-map.ts";
import { moveStates, numberOfState, stateOfNumber } from "../../../../services/wallet/buckets/move-state.ts";
import { addTotals } from "../../../../services/wallet/income/income-posting.ts";
import { storeBucketOf } from "../../../../services/wallet-buckets.ts";
import { idBase, serverOfId } from "../../../../services/wallet-servers.ts";

describe("buckets of users", () => {
  test("are the same for ever: a bucket is the remainder of the user's id", () => {
    expect(limits.wallet.storeBuckets).toBe(251);
    expect(["1", "251", "18446744073709551615"].map(storeBucketOf)).toEqual([
      1,
      0,
      Number(18446744073709551615n % 251n),
    ]);
  });

  test("without a row are on the home server; one that moved knows where it has left rows", () => {
    const left = [
      { bucket: 7, server: "home" },
      { bucket: 7, server: "b" },
      { bucket: 9, server: "b" },
    ];
    const rows = [{ bucket: 7, server: "b", revision: 3 }];
    const map = new BucketMap("home", rows, left);
    expect([map.serverOf(1), map.revisionOf(1), map.othersOf(1)]).toEqual(["home", 0, []]);
    expect([map.serverOf(7), map.revisionOf(7), map.othersOf(7)]).toEqual(["b", 3, ["home"]]);
    expect(map.othersOf(9)).toEqual(["b"]);
  });

  test("move through every state once, in order", () => {
    expect(moveStates.map((state) => stateOfNumber(numberOfState(state)))).toEqual([...moveStates]);
    expect(moveStates).toEqual(["planned", "closed", "moved", "done"]);
    expect(() => stateOfNumber(4)).toThrow(RangeError);
  });

  test("are spread one by one, until no server has two more than another", () => {
    const servers = [
      { name: "home", buckets: Array.from({ length: 9 }, (_, n) => n) },
      { name: "b", buckets: [] as number[] },
      { name: "c", buckets: [] as number[] },
    ];
    for (let next = nextOfSpread(servers); next; next = nextOfSpread(servers)) {
      const { bucket, server } = next;
      for (const one of servers) one.buckets = one.buckets.filter((own) => own !== bucket);
      servers.find(({ name }) => name === server)?.buckets.push(bucket);
    }
    expect(servers.map(({ buckets }) => buckets.length)).toEqual([3, 3, 3]);
    expect(shownBuckets([0, 1, 2, 5, 7, 8])).toBe("0-2, 5, 7-8");
    expect(shownBuckets([])).toBe("none");
  });
});

test("an id says which server gave it, and all of them are safe integers", () => {
  for (const number of [0, 1, limits.wallet.serversMax]) {
    expect(serverOfId(idBase(number) + 1n)).toBe(number);
    expect(Number.isSafeInteger(Number(idBase(number + 1)))).toBe(true);
  }
});

test("lists of several servers are joined by time and id, and each keeps its own order", () => {
  const row = fc.record({ server: fc.integer({ min: 0, max: 2 }), at: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (rows, limit) => {
      const pages = [0, 1, 2].map((server) =>
        rows
          .filter((one) => one.server === server)
          .sort((a, b) => a.at - b.at)
          .map(({ at }, n) => ({ id: String(idBase(server) + BigInt(n + 1)), time: `2026-01-01T00:00:0${at}Z` }))
          .reverse(),
      );
      const joined = newestFirst(pages, ({ time }) => time, limit);
      const all = pages
        .flat()
        .sort((a, b) => (a.time === b.time ? Number(BigInt(b.id) - BigInt(a.id)) : a.time < b.time ? 1 : -1));
      expect(joined).toEqual(all.slice(0, limit));
    }),
  );
});

test("an anchor's sums of several servers are exact, or refused", () => {
  const row = { earnedPoints: 5, heldBackPoints: 2, paidOutPoints: 1 };
  expect(addTotals([row, row])).toEqual({ earnedPoints: 10, heldBackPoints: 4, paidOutPoints: 2 });
  expect(() => addTotals([row, { ...row, earnedPoints: Number.MAX_SAFE_INTEGER }])).toThrow(RangeError);
});
