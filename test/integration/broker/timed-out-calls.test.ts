import type { ServiceBroker, ServiceSchema } from "moleculer";
import { startNode, stopAll, stopNode } from "../../support/system.ts";

/** Calls that another node, which lives on, never answers. */

const never = new Promise<never>(() => undefined);
const silent = {
  name: "wallet",
  settings: { $shutdownTimeout: 100 },
  actions: { balance: () => never },
} as unknown as ServiceSchema;

interface Internals {
  readonly transit: { readonly pendingRequests: ReadonlyMap<string, unknown> };
  readonly _trackedContexts: readonly unknown[];
}

let caller: ServiceBroker;

beforeAll(async () => {
  await startNode("silent", [silent]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet"]);
});
afterAll(stopAll);

test("a call that timed out leaves nothing behind, and a stop does not wait for it", async () => {
  const { transit, _trackedContexts } = caller as unknown as Internals;
  const calls = Array.from({ length: 20 }, () => caller.call("wallet.balance", {}, { timeout: 100 }));
  expect(transit.pendingRequests.size).toBe(20);
  for (const outcome of await Promise.allSettled(calls))
    expect(outcome).toMatchObject({ status: "rejected", reason: { type: "REQUEST_TIMEOUT" } });
  expect([transit.pendingRequests.size, _trackedContexts.length]).toEqual([0, 0]);
  const since = performance.now();
  await stopNode(caller);
  // A stop with a tracked call takes at least limits.rpc.shutdownTimeoutMs, 10 s.
  expect(performance.now() - since).toBeLessThan(5_000);
});
