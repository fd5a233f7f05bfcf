import type { Service } from "moleculer";
import { launch } from "../../broker/launch.ts";
import giftService from "../../services/gift/gift.service.ts";
import type { BenchContext } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { type BenchProcess, spawnProcess, startServices } from "../support/nodes.ts";
import { type Usage, usageOf } from "../support/usage.ts";

/** A running system without the services that consume the gift queue. */
export interface SettlingSystem {
  /** Starts the consumers. The time until the first gift is taken does not count; a second node's later start does. */
  begin(): Promise<Begun>;
  /** Stops the consumers alone: `begin` may follow. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

export interface Begun extends Usage {
  /** Unix ms: the last time at which no gift had been taken from the queue. */
  at: number;
}

/** The number of processes of each service. */
export interface Counts {
  gift: number;
  wallet: number;
}

/** Everything in this process. */
export async function singleSystem({ servers }: BenchContext, queue: DurableQueue): Promise<SettlingSystem> {
  const broker = await launch(["wallet", "im-router"], "settle");
  let gift: Service | undefined;
  return {
    async begin() {
      const before = await queue.deliveries();
      gift = broker.createService(giftService);
      const at = await queue.untilBegun(before);
      return { at, ...usageOf({ services: process.pid, ...servers.pids }) };
    },
    async pause() {
      if (gift) await broker.destroyService(gift);
    },
    stop: () => broker.stop(),
  };
}

/** Gift and wallet in processes of their own, and one router. */
export async function clusterSystem(
  context: BenchContext,
  queue: DurableQueue,
  counts: Counts,
): Promise<SettlingSystem> {
  const { servers } = context;
  const labels = [...Array.from({ length: counts.wallet }, (_, i) => `wallet-${i + 1}`), "im-router-1"];
  const running = await Promise.all(labels.map((label) => startServices(context, label, [label.replace(/-\d+$/, "")])));
  let starting: Promise<BenchProcess>[] = [];
  return {
    async begin() {
      const before = await queue.deliveries();
      const gifts = Array.from({ length: counts.gift }, (_, i) =>
        spawnProcess(context, { label: `gift-${i + 1}`, script: "scripts/node.ts", args: ["gift"] }),
      );
      const at = await queue.untilBegun(before);
      const pids: [string, number | undefined][] = [
        ...running.map(({ label, pid }): [string, number] => [label, pid]),
        ...gifts.map(({ pid }, i): [string, number | undefined] => [`gift-${i + 1}`, pid]),
      ];
      starting = gifts.map(({ started }) => started);
      return { at, ...usageOf({ ...Object.fromEntries(pids), ...servers.pids }) };
    },
    async pause() {
      await stopInOrder(await Promise.all(starting));
      starting = [];
    },
    stop: async () => stopInOrder([...running, ...(await Promise.all(starting))]),
  };
}

/** Consumers of gifts stop before the services that they call. */
async function stopInOrder(running: readonly BenchProcess[]): Promise<void> {
  for (const one of [...running].reverse()) await one.stop();
}
