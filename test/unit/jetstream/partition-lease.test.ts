import { limits } from "../../../config/limits.ts";
import { PartitionLeases } from "../../../mixins/jetstream/partition-lease.ts";
import type { LockHold } from "../../../mixins/redis-lock.mixin.ts";

const { ttlMs } = limits.lock;
const key = "partition:p-0";

/** The answers of Redis, in order; the last answer stays. */
function leasesThatHear(...answers: ("ours" | "theirs" | "nothing")[]) {
  let now = 0;
  const locks = {
    async acquire(): Promise<LockHold> {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      const acquired = new Set(answer === "theirs" ? [] : [key]);
      const hold = { acquired, degraded: answer === "nothing", unlock: async () => {} };
      return hold as LockHold;
    },
  };
  const leases = new PartitionLeases(locks, () => now);
  return async (at: number) => {
    now = at;
    return (await leases.acquire("p-0")) !== undefined;
  };
}

test("a partition that another node holds is not taken for one answer that came too late", async () => {
  const taken = leasesThatHear("theirs", "nothing", "theirs", "nothing", "theirs");
  for (const at of [0, 100, 200, 10 * ttlMs, 11 * ttlMs]) expect(await taken(at)).toBe(false);
});

test("without Redis a node goes on once no lease could be asked for as long as one lives", async () => {
  const taken = leasesThatHear("nothing");
  expect([await taken(0), await taken(ttlMs - 1), await taken(ttlMs)]).toEqual([false, false, true]);
});

test("a lease that Redis gives is had at once, also after a time without Redis", async () => {
  const taken = leasesThatHear("nothing", "ours");
  expect([await taken(0), await taken(100)]).toEqual([false, true]);
});
