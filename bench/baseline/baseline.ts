import { AckPolicy, connect } from "nats";
import { adminOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { migrate } from "../../mixins/mysql/migrate.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";
import { migrationFolders } from "../../services/databases.ts";
import { partitionOf } from "../../services/gift/accepted-gift.ts";
import { giftOf } from "../settle/gifts.ts";
import { cpuPerGift, type Timed, timeSettling } from "../settle/measure.ts";
import type { SettlingSystem } from "../settle/systems.ts";
import { conservationProblems } from "../support/conservation.ts";
import type { BenchContext } from "../support/context.ts";
import { DurableQueue } from "../support/durable-queue.ts";
import { spawnProcess } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import { seedAccounts, senderId } from "../support/seed.ts";
import { usageOf } from "../support/usage.ts";
import { baselineDatabase } from "./gift-transaction.ts";
import { baselineDurable, baselineStream } from "./queue.ts";
import { balanceKey, openWorkers } from "./settler.ts";

/** Consumers of one process. On 2 cores, of 8 to 128 consumers this number has the highest rate; more are no faster. */
export const consumers = 32;
const coins = 1_000;

/** The usual design, measured in parts before and after the product. */
export class Baseline {
  private readonly context: BenchContext;
  private readonly queue: DurableQueue;
  private readonly timed: (Timed & { gifts: number })[] = [];
  private senders = 0;

  private constructor(context: BenchContext, queue: DurableQueue) {
    this.context = context;
    this.queue = queue;
  }

  /** Makes the product's tables in one database, and accounts for `gifts` gifts. */
  static async open(context: BenchContext, gifts: number): Promise<Baseline> {
    const { progress, closing } = context;
    await seedBaseline(gifts, progress);
    const queue = await DurableQueue.open(baselineStream, closing);
    await makeConsumer();
    return new Baseline(context, queue);
  }

  /** Settles the gifts of the next `gifts` senders. */
  async run(gifts: number): Promise<void> {
    const { progress } = this.context;
    const first = this.senders;
    this.senders += gifts;
    const messages = Array.from({ length: gifts }, (_, n) => queuedGift(first + n));
    await this.queue.fill(messages, progress);
    progress(`baseline: settling ${gifts} gifts one by one`);
    const system = await this.system();
    const timed = await timeSettling(system, this.queue, { messages: gifts, progress });
    await system.stop();
    this.timed.push({ ...timed, gifts });
    progress(`baseline: ${Math.round(gifts / timed.seconds)} gifts a second`);
  }

  /** The median of the parts' rates, and the cost of a gift over all parts. */
  result() {
    const rates = this.timed.map(({ gifts, seconds }) => Math.round(gifts / seconds));
    const cpu = this.timed.flatMap((part) => Object.values(part.cpu)).reduce((a, b) => a + b, 0);
    const statements = this.timed.reduce((sum, part) => sum + part.counts.statements, 0);
    return {
      baselineRate: Math.round(median(rates)),
      baselineRates: rates,
      baselineGifts: this.senders,
      baselineCpuMicrosPerGift: cpuPerGift({ all: cpu }, this.senders).cpuMicrosPerGift,
      baselineStatementsPerGift: rounded(statements / this.senders, 4),
    };
  }

  problems(): Promise<string[]> {
    return baselineProblems(this.senders);
  }

  /** It runs in as many processes as the product has gift processes: this one, or two others. */
  private async system(): Promise<Pick<SettlingSystem, "begin" | "stop">> {
    const { context, queue } = this;
    const { servers } = context;
    const before = await queue.deliveries();
    if (context.topology === "single") {
      const workers = await openWorkers(consumers);
      return {
        async begin() {
          await workers.begin();
          const at = await queue.untilBegun(before);
          return { at, ...usageOf({ services: process.pid, ...servers.pids }) };
        },
        stop: () => workers.stop(),
      };
    }
    const processes = [1, 2].map((n) => {
      const label = `baseline-${n}`;
      return spawnProcess(context, { label, script: "bench/baseline/worker.ts", args: [String(consumers)] });
    });
    return {
      async begin() {
        const at = await queue.untilBegun(before);
        const [first, second] = processes.map(({ pid }) => pid);
        return { at, ...usageOf({ first, second, ...servers.pids }) };
      },
      async stop() {
        for (const { started } of processes) await (await started).stop();
      },
    };
  }
}

/** Makes the product's tables in one database, and `users` accounts with their cached balances. */
export async function seedBaseline(users: number, progress: (line: string) => void): Promise<void> {
  await migrate(baselineDatabase(), [...new Set([...migrationFolders.wallet, ...migrationFolders.gift])]);
  progress(`baseline: seeding ${users} accounts`);
  await seedAccounts(baselineDatabase(), users, senderId, coins, progress);
  await cacheBalances(users);
}

/** What does not add up after `gifts` gifts, a sentence each. */
export function baselineProblems(gifts: number): Promise<string[]> {
  const database = baselineDatabase();
  return conservationProblems({ wallet: database, gift: database, gifts, incomeLedger: false });
}

function queuedGift(n: number) {
  const gift = giftOf(n, senderId(n));
  return { subject: `baseline.gift.${partitionOf(gift.senderId)}`, id: gift.orderId, text: JSON.stringify(gift) };
}

/** Fills the cache with the senders' balances, as it is after they opened the list of gifts. */
async function cacheBalances(count: number): Promise<void> {
  const redis = openRedis("baseline-seed");
  await redis.connect();
  for (let done = 0; done < count; done += 1_000) {
    const size = Math.min(1_000, count - done);
    await Promise.all(Array.from({ length: size }, (_, i) => redis.set(balanceKey(senderId(done + i)), coins)));
  }
  redis.disconnect();
}

async function makeConsumer(): Promise<void> {
  const connection = await connect(adminOptions("baseline-seed"));
  const manager = await connection.jetstreamManager();
  await manager.consumers.add(natsPrefix() + baselineStream.name, {
    durable_name: baselineDurable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: 30_000_000_000,
    max_ack_pending: 20_000,
  });
  await connection.close();
}
