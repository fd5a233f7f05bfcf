import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { fundedUsers, giftOf, settle, Traffic, walletOn } from "./traffic.ts";
import { openWire, type Wire } from "./wire.ts";

jest.setTimeout(120_000);

/** The nodes that were called for gifts of a bucket. */
const asked = new Map<number, Set<string>>();
const noting = {
  ...wallet,
  hooks: {
    before: {
      consumeForSendGift(ctx: Context<{ bucket: number }>) {
        const nodes = asked.get(ctx.params.bucket) ?? new Set();
        asked.set(ctx.params.bucket, nodes.add(ctx.broker.nodeID));
      },
    },
  },
} as ServiceSchema;

let wire: Wire;
let caller: ServiceBroker;

beforeAll(async () => {
  wire = await openWire(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = wire.url;
  caller = await startNode("caller", []);
});
afterAll(async () => {
  await stopAll();
  await wire.close();
});

const settledOn = (node: ServiceBroker) => walletOn(node).writer.counters.commands;

async function startWallet(label: string): Promise<ServiceBroker> {
  const node = await startNode(label, [noting]);
  await waitForNode(caller, "wallet", node.nodeID);
  return node;
}

test("while wallet nodes join and leave, gifts in flight are charged once and in order", async () => {
  const first = await startWallet("wallet-1");
  const traffic = await Traffic.prepare(caller, 60, 60, 50);
  // So that gifts are in flight until the node has started.
  wire.slow(60);
  const running = traffic.run();
  const second = await startWallet("wallet-2");
  await eventually("gifts on the second node", () => settledOn(second) > 0, 30_000);
  const leaving = stopNode(first);
  await eventually("the first node is left out", () => !caller.registry.hasService("wallet", first.nodeID), 30_000);
  const afterwards = settledOn(second);
  wire.slow(0);
  await running;
  expect(settledOn(second)).toBeGreaterThan(afterwards);
  await leaving;
  await traffic.expectSettledOnce();
  await stopNode(second);
});

describe("Rendezvous, by its name in the action", () => {
  /** One user of each bucket. */
  const userOf = new Map<number, string>();
  const settleAll = (callers: ServiceBroker[]) =>
    Promise.all(callers.flatMap((from) => [...userOf.values()].map((user) => settle(from, [giftOf(user)]))));
  const placement = async (callers: ServiceBroker[]) => {
    asked.clear();
    await settleAll(callers);
    for (const nodes of asked.values()) expect(nodes.size).toBe(1);
    return new Map([...asked].map(([bucket, nodes]) => [bucket, [...nodes][0] as string]));
  };

  beforeAll(async () => {
    await startWallet("wallet-3");
    for (const user of await fundedUsers(caller, 400, 0)) userOf.set(bucketOf(user), user);
    expect(userOf.size).toBe(limits.wallet.buckets);
  });

  test("sends all calls of a bucket to one node, from any caller, and moves only the buckets of nodes that join or leave", async () => {
    const nodes = await Promise.all(["wallet-4", "wallet-5"].map(startWallet));
    const [leaving] = nodes as [ServiceBroker];
    const another = await startNode("caller-2", []);
    for (const from of [another, ...nodes])
      await eventually(
        "three wallets",
        () => {
          const [action] = from.registry.getActionList({ onlyAvailable: true }).filter(isSettling);
          return (action as { count: number } | undefined)?.count === 3;
        },
        30_000,
      );
    const three = await placement([caller, another, ...nodes]);
    expect(new Set(three.values()).size).toBe(3);

    await stopNode(leaving);
    await eventually("two wallets", () => !caller.registry.hasService("wallet", leaving.nodeID), 30_000);
    const two = await placement([caller]);
    for (const [bucket, node] of three) {
      if (node === leaving.nodeID) expect(two.get(bucket)).not.toBe(node);
      else expect(two.get(bucket)).toBe(node);
    }
  });

  test("a call may still name its node", async () => {
    const [user] = (await fundedUsers(caller, 1, 1)) as [string];
    const bucket = bucketOf(user);
    const gifts = [giftOf(user)];
    const services = caller.registry.getServiceList({ onlyAvailable: true }) as { name: string; nodeID: string }[];
    const wallets = services.filter(({ name }) => name === "wallet");
    expect(wallets.length).toBe(2);
    asked.clear();
    for (const { nodeID } of wallets)
      expect((await call(caller, "wallet.consumeForSendGift", { bucket, gifts }, { nodeID })).outcomes).toMatchObject([
        { status: "succeeded", balanceAfter: 0 },
      ]);
    expect(asked.get(bucket)?.size).toBe(2);
  });
});

function isSettling(action: unknown): boolean {
  return (action as { name: string }).name === "wallet.consumeForSendGift";
}
