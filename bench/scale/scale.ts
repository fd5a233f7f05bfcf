import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { openGiftQueue, queuedGroups } from "../settle/gifts.ts";
import { measureSettling, type Settled } from "../settle/measure.ts";
import { clusterSystem, singleSystem } from "../settle/systems.ts";
import { conservationProblems, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { median, rounded } from "../support/percentiles.ts";
import { makeTables, senderId } from "../support/seed.ts";
import { withBufferPool } from "./buffer-pool.ts";
import { fillBooks, flushBooks } from "./fill.ts";
import { type Filled, plan } from "./history.ts";

const defaultGifts = 20_000;
const rounds = 3;
/** Coprime to every number of accounts here, so that the senders of a burst are spread over all accounts. */
const stride = 618_031;

interface Size {
  readonly accounts: number;
  readonly trades: number;
  /** How many of the trades are of the open month; the others are archived. */
  readonly hot?: number;
}

const sizes: readonly Size[] = [
  { accounts: 10_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 1_000_000 },
  { accounts: 1_000_000, trades: 1_000_000 },
  { accounts: 1_000_000, trades: 30_000_000, hot: 3_000_000 },
];
const quickSizes: readonly Size[] = [
  { accounts: 10_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 1_000_000 },
  { accounts: 100_000, trades: 3_000_000, hot: 300_000 },
];
const bufferPoolMb = 512;
const nodeCounts = [1, 2, 4];
const booksForNodes = { accounts: 100_000, trades: 1_000_000 };

/** Bursts of gifts that are settled one after the other on the same books. */
class Bursts {
  private readonly context: BenchContext;
  private readonly queue: DurableQueue;
  private readonly gifts: number;
  private readonly past: Filled;
  private sent = 0;

  constructor(context: BenchContext, queue: DurableQueue, past: Filled) {
    this.context = context;
    this.queue = queue;
    this.gifts = context.gifts || defaultGifts;
    this.past = past;
  }

  /**
   * The number of wallet processes, with one gift node and one router; 0: everything in this process. Without an auditor:
   * the filled books have no seals.
   */
  async settle(nodes: number): Promise<Settled> {
    const { context, queue, gifts } = this;
    const first = this.sent;
    this.sent += gifts;
    const sender = (n: number) => senderId(((first + n) * stride) % this.past.accounts);
    const messages = await queue.fill(queuedGroups(gifts, sender), () => {});
    const system =
      nodes === 0
        ? await singleSystem(context, queue, false)
        : await clusterSystem(context, queue, { gift: 1, wallet: nodes }, false);
    return measureSettling(system, queue, { gifts, messages, progress: context.progress });
  }

  /** The rate is the median of several bursts; the other figures are of that burst. */
  async rate(nodes: number) {
    const settled: Settled[] = [];
    for (let i = 0; i < rounds; i++) {
      settled.push(await this.settle(nodes));
      this.context.progress(`${settled.at(-1)?.rate} gifts a second`);
    }
    const rate = median(settled.map((burst) => burst.rate));
    const { cpuMicrosPerGift, cpuMicrosPerGiftBy, statementsPerGift } = settled.find((burst) => burst.rate === rate)!;
    const redelivered = settled.map((burst) => burst.redelivered);
    return { rate, cpuMicrosPerGift, cpuMicrosPerGiftBy, statementsPerGift, redelivered };
  }

  /** Invariants that do not hold over all rows, the filled ones included. */
  async problems(): Promise<string[]> {
    const { progress } = this.context;
    progress("checking conservation over all rows");
    const startedAt = Date.now();
    const problems = await conservationProblems(productBooks(this.past.gifts + this.sent));
    progress(`checked in ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
    for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
    return problems;
  }
}

/** Bytes of the two databases on disk, as the server reports them. */
async function bytesOnDisk(): Promise<number> {
  const connection = await openConnection(config().MYSQL_URL);
  try {
    const [rows] = await connection.query(
      "SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables WHERE table_schema IN (?)",
      [[databaseName("wallet"), databaseName("gift")]],
    );
    return Number((rows as { bytes: string }[])[0]?.bytes ?? 0);
  } finally {
    await connection.end();
  }
}

/** The cost of a gift by the number of accounts, of trades in the tables, and of wallet nodes. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, quick, accounts: few } = context;
  const queue = await openGiftQueue(closing);
  await makeTables();
  const runs: Record<string, unknown>[] = [];
  const problems: string[] = [];
  const measure = async ({ accounts, trades, hot }: Size, nodeCounts: readonly number[]) => {
    const past = plan(accounts, trades, hot);
    const archived = past.archivedGifts === 0 ? 0 : accounts + 2 * past.archivedGifts;
    progress(`filling the books: ${past.accounts} accounts, ${past.trades} trades, ${archived} of them archived`);
    const startedAt = Date.now();
    await fillBooks(past, progress);
    await flushBooks(progress);
    const fillSeconds = rounded((Date.now() - startedAt) / 1_000, 1);
    const gigabytes = rounded((await bytesOnDisk()) / 1e9, 2);
    progress(`filled in ${fillSeconds} s, ${gigabytes} GB`);
    const bursts = new Bursts(context, queue, past);
    if (runs.length === 0) {
      progress("warming up");
      await bursts.settle(0);
    }
    for (const nodes of nodeCounts) {
      progress(nodes === 0 ? "settling in this process" : `settling with ${nodes} wallet processes`);
      const topology = nodes === 0 ? "single" : "cluster";
      const about = { accounts, trades: past.trades, archived, nodes: Math.max(1, nodes), topology, bufferPoolMb };
      const rate = await withBufferPool(bufferPoolMb, () => bursts.rate(nodes));
      runs.push({ ...about, ...rate, fillSeconds, gigabytes });
      progress(JSON.stringify(runs.at(-1)));
    }
    problems.push(...(await bursts.problems()));
  };
  if (few !== undefined) await measure({ accounts: few, trades: few * 10 }, [0, 2]);
  else {
    for (const size of quick ? quickSizes : sizes) await measure(size, [0]);
    await measure(booksForNodes, nodeCounts);
  }
  const about = { runs, gifts: context.gifts || defaultGifts, rounds, conserved: problems.length === 0 };
  return { ...about, ...archivedRatio(runs) };
}

interface Run {
  readonly accounts: number;
  readonly archived: number;
  readonly topology: string;
  readonly rate: number;
}

/** The rate on books of which most is archived, beside that of a million trades of as many accounts. */
function archivedRatio(runs: readonly unknown[]): { archivedRatio?: number } {
  const single = (runs as readonly Run[]).filter(({ topology }) => topology === "single");
  const large = single.find(({ archived }) => archived > 0);
  const small = single.find(({ archived, accounts }) => archived === 0 && accounts === large?.accounts);
  return large && small ? { archivedRatio: rounded(large.rate / small.rate, 2) } : {};
}
