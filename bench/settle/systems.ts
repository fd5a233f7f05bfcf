import { type Service, ServiceBroker, type ServiceSchema } from "moleculer";
import { brokerOptions } from "../../broker/options.ts";
import type { ServiceName } from "../../broker/service-names.ts";
import { TransactionSeals } from "../../mixins/seals/seal-chains.ts";
import giftService from "../../services/gift/gift.service.ts";
import type { BenchContext } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { inTime } from "../support/in-time.ts";
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

/** The services beside gift; the auditor compares the books that the gifts change. */
const others: readonly ServiceName[] = ["provisioner", "wallet", "im-router"];
const auditor: ServiceName = "auditor";

/** Gifts are settled without seals in this process from now on, and no seal is checked. */
function writeNoSeals(): void {
  TransactionSeals.prototype.cover = () => undefined;
  TransactionSeals.prototype.write = async () => undefined;
}

/** Everything in this process, which is a node with the role `all` and the services that settle. */
export async function singleSystem(
  { servers, books }: BenchContext,
  queue: DurableQueue,
  audited = books,
): Promise<SettlingSystem> {
  if (!books) writeNoSeals();
  const broker = new ServiceBroker(brokerOptions({ role: "all", label: "settle" }));
  for (const name of audited ? [...others, auditor] : others) {
    const module = (await import(`../../services/${name}/${name}.service.ts`)) as { default: ServiceSchema };
    broker.createService(module.default);
  }
  await inTime("starting the services", broker.start());
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
  audited = context.books,
): Promise<SettlingSystem> {
  const { servers } = context;
  const wallets = Array.from({ length: counts.wallet }, (_, i) => `wallet-${i + 1}`);
  const labels = ["provisioner-1", ...wallets, "im-router-1", ...(audited ? ["auditor-1"] : [])];
  const env = await servers.envOf(["gift"]);
  const running = await Promise.all(labels.map((label) => startServices(context, label, [label.replace(/-\d+$/, "")])));
  let starting: Promise<BenchProcess>[] = [];
  return {
    async begin() {
      const before = await queue.deliveries();
      const gifts = Array.from({ length: counts.gift }, (_, i) =>
        spawnProcess(context, { label: `gift-${i + 1}`, script: "scripts/node.ts", args: ["gift"], env }),
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
