import fc from "fast-check";
import type { Context, ServiceBroker } from "moleculer";
import { Strategies } from "moleculer";
import { RendezvousStrategy } from "../../../broker/rendezvous-strategy.ts";

const strategy = (shardKey?: string) =>
  new RendezvousStrategy(undefined as never, undefined as unknown as ServiceBroker, { shardKey });
const list = (...ids: string[]) => ids.map((id) => ({ id }));
const context = (params: Record<string, unknown>) => ({ params }) as Context<Record<string, unknown>>;
const pick = (by: RendezvousStrategy, ids: readonly string[], bucket: unknown) =>
  (by.select(list(...ids), context({ bucket })) as { id: string }).id;

const nodeIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
const bucket = fc.nat(5_000);

test("every caller picks the same node for a key, in whatever order it knows the nodes", () => {
  const shuffled = nodeIds.chain((ids) =>
    fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length })),
  );
  fc.assert(
    fc.property(shuffled, bucket, ([ids, others], key) => {
      expect(pick(strategy(), others, key)).toBe(pick(strategy(), ids, key));
      expect(ids).toContain(pick(strategy(), ids, key));
    }),
  );
});

test("where a node leaves only its keys move, and where one joins keys move to it alone", () => {
  fc.assert(
    fc.property(nodeIds, fc.nat(7), (ids, at) => {
      fc.pre(ids.length > 1);
      const caller = strategy();
      const leaving = ids[at % ids.length] as string;
      const rest = ids.filter((id) => id !== leaving);
      for (let key = 0; key < 64; key++) {
        const [before, after] = [pick(caller, ids, key), pick(caller, rest, key)];
        if (before === leaving) expect(rest).toContain(after);
        else expect(after).toBe(before);
      }
    }),
  );
});

test.each([2, 3, 5, 10])("the keys are spread over %i nodes evenly within reason", (nodes) => {
  const caller = strategy();
  const ids = Array.from({ length: nodes }, (_, n) => `wallet-${n}-host-${4000 + n}-${(n * 7919).toString(16)}`);
  const keys = 10_000;
  const counts = new Map<string, number>();
  for (let key = 0; key < keys; key++) {
    const id = pick(caller, ids, key);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const id of ids) {
    expect(counts.get(id)).toBeGreaterThan((keys / nodes) * 0.85);
    expect(counts.get(id)).toBeLessThan((keys / nodes) * 1.15);
  }
});

test("the key is the configured parameter, a number or its digits; a call without a key gets a node as well", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const byUser = strategy("userId");
  const spread = new Set<string>();
  for (let user = 0; user < 50; user++) {
    const of = (params: Record<string, unknown>) => (byUser.select(list(...ids), context(params)) as { id: string }).id;
    expect(of({ userId: user, bucket: user + 1 })).toBe(of({ userId: String(user), bucket: 0 }));
    spread.add(of({ userId: user }));
    expect(of({ bucket: user })).toBe(of({}));
  }
  expect(spread.size).toBe(ids.length);
  expect(ids).toContain((byUser.select(list(...ids)) as { id: string }).id);
});

test("nodes may come and go without end", () => {
  const caller = strategy();
  const first = pick(caller, ["a", "b"], 1);
  for (let n = 0; n < 60_000; n++) pick(caller, [`node-${n}`], 1);
  expect((caller as unknown as { weights: Map<string, number> }).weights.size).toBeLessThanOrEqual(50_001);
  expect(pick(caller, ["a", "b"], 1)).toBe(first);
});

test("it is known to Moleculer by its name", () => {
  expect(Strategies.resolve("Rendezvous")).toBe(RendezvousStrategy);
});

test("a node that cannot do the work is passed over as if it had left, unless none can", () => {
  const ids = ["a", "b", "c", "d"];
  const told = (unable: readonly string[]) =>
    ids.map((id) => ({
      id,
      node: { metadata: { unable: unable.includes(id) ? ["wallet"] : [] } },
      service: { name: "wallet" },
    }));
  for (let bucket = 0; bucket < 64; bucket++) {
    const picked = (unable: readonly string[]) =>
      (strategy().select(told(unable), context({ bucket })) as { id: string }).id;
    expect(picked(["b"])).toBe(pick(strategy(), ["a", "c", "d"], bucket));
    expect(picked(ids)).toBe(pick(strategy(), ids, bucket));
  }
});
