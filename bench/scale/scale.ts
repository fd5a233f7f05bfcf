import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { rounded } from "../support/percentiles.ts";
import { withBufferPool } from "./buffer-pool.ts";
import { type Burst, Bursts, giftsOf, summary } from "./bursts.ts";
import { fillBooks } from "./fill.ts";
import { flushBooks } from "./flush.ts";
import { plan } from "./history.ts";
import { ratioOf } from "./ratio.ts";
import { Shelf } from "./shelf.ts";
import { booksForNodes, chosenSizes, type Size } from "./sizes.ts";

/** Odd, so that a burst has the median rate. */
const rounds = 3;
const bufferPoolMb = 512;
/** So the indexes of the hot tables fit in memory while they are filled. */
const fillPoolMb = 2_048;
const nodeCounts = [1, 2, 4];

interface Books {
  /** On the shelf. */
  readonly number: number;
  readonly size: Size;
  readonly about: {
    readonly accounts: number;
    readonly trades: number;
    readonly archived: number;
    readonly fillSeconds: number;
    readonly gigabytes: number;
  };
  readonly bursts: Bursts;
}

/** Bytes of the two databases on disk, as the server estimates them. */
async function bytesOnDisk(): Promise<number> {
  const connection = await openConnection(config().MYSQL_URL);
  const tables = "information_schema.tables WHERE table_schema IN (?)";
  const databases = [databaseName("wallet"), databaseName("gift")];
  try {
    const [names] = await connection.query(`SELECT table_schema AS db, table_name AS name FROM ${tables}`, [databases]);
    const all = (names as Record<"db" | "name", string>[]).map(({ db, name }) => `${db}.${name}`);
    // Otherwise the sizes are those of some time before.
    await connection.query(`ANALYZE TABLE ${all.join(", ")}`);
    const [sums] = await connection.query(`SELECT SUM(data_length + index_length) AS bytes FROM ${tables}`, [
      databases,
    ]);
    return Number((sums as { bytes: string }[])[0]?.bytes ?? 0);
  } finally {
    await connection.end();
  }
}

async function fill(context: BenchContext, queue: DurableQueue, number: number, size: Size): Promise<Books> {
  const { progress } = context;
  const { accounts, hot } = size;
  const past = plan(accounts, size.trades, hot);
  const { trades } = past;
  const archived = past.archivedGifts === 0 ? 0 : accounts + 2 * past.archivedGifts;
  progress(`filling the books: ${accounts} accounts, ${trades} trades, ${archived} of them archived`);
  const startedAt = Date.now();
  await withBufferPool(fillPoolMb, async () => {
    await fillBooks(past, progress);
    await flushBooks(progress);
  });
  const fillSeconds = rounded((Date.now() - startedAt) / 1_000, 1);
  const gigabytes = rounded((await bytesOnDisk()) / 1e9, 2);
  progress(`filled in ${fillSeconds} s, ${gigabytes} GB`);
  const about = { accounts, trades, archived, fillSeconds, gigabytes };
  return { number, size, about, bursts: new Bursts(context, queue, past) };
}

/** The cost of a gift by the number of accounts, of trades in the tables, and of wallet nodes. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, accounts: few, archived } = context;
  const queue = await openGiftQueue(closing);
  const shelf = new Shelf();
  const all: Books[] = [];
  for (const [number, size] of chosenSizes(context).entries()) {
    await shelf.begin(number);
    all.push(await fill(context, queue, number, size));
  }
  const runs: Record<string, unknown>[] = [];
  const note = ({ about }: Books, nodes: number, bursts: readonly Burst[]) => {
    const topology = nodes === 0 ? "single" : "cluster";
    runs.push({ ...about, nodes: Math.max(1, nodes), topology, bufferPoolMb, ...summary(bursts) });
    progress(JSON.stringify(runs.at(-1)));
  };
  const settle = async ({ number, about, bursts }: Books, nodes: number) => {
    const where = nodes === 0 ? "in this process" : `with ${nodes} wallet processes`;
    progress(`settling ${where}: ${about.accounts} accounts, ${about.trades} trades`);
    await shelf.take(number);
    return bursts.settle(nodes);
  };

  const byBooks = all.map((): Burst[] => []);
  await withBufferPool(bufferPoolMb, async () => {
    // In turns: the machine's speed changes within the run, and is the same for the bursts of a round.
    for (let round = 0; round < rounds; round++)
      for (const [at, books] of all.entries()) byBooks[at]?.push(await settle(books, 0));
    for (const [at, books] of all.entries()) note(books, 0, byBooks[at] as Burst[]);
    const books = all.find(({ size }) => size.accounts === (few ?? booksForNodes.accounts)) as Books;
    for (const nodes of archived ? [] : few === undefined ? nodeCounts : [2]) {
      const bursts: Burst[] = [];
      for (let round = 0; round < rounds; round++) bursts.push(await settle(books, nodes));
      note(books, nodes, bursts);
    }
  });
  const problems: string[] = [];
  for (const { number, bursts } of all) {
    await shelf.take(number);
    problems.push(...(await bursts.problems()));
  }
  const [small, large] = byBooks.slice(-2);
  const ratio = all.at(-1)?.about.archived === 0 || !small || !large ? {} : ratioOf(large, small);
  return { runs, gifts: giftsOf(context), rounds, conserved: problems.length === 0, ...ratio };
}
