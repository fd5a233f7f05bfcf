import { config, databaseName, readConfigAgain } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { addServers } from "../../scripts/add-servers.ts";
import { stackStatus, startStack } from "../../scripts/stack/stack.ts";
import { storeBucketOf } from "../../services/wallet-buckets.ts";
import { walletServers } from "../../services/wallet-servers.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { rounded } from "../support/percentiles.ts";
import { makeTables, seedAccounts, senderId } from "../support/seed.ts";
import { benchDir } from "../support/servers.ts";
import { openGiftQueue, queuedGroups } from "./gifts.ts";
import { timeSettling } from "./measure.ts";
import { singleSystem } from "./systems.ts";

const defaultGifts = 60_000;
const warmUpGifts = 10_000;
const coins = 1_000;

/** What settling costs on one server or several, by server. */
interface Cost {
  rate: number;
  /** CPU of the MySQL server, µs a gift of all. */
  cpuMicrosPerGift: Record<string, number>;
  /** Statements a gift of all. */
  statementsPerGift: Record<string, number>;
  servicesCpuMicrosPerGift: number;
}

async function statementsAt(url: string): Promise<number> {
  const connection = await openConnection(url);
  try {
    const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { Value: string }[])[0]?.Value ?? 0);
  } finally {
    await connection.end();
  }
}

/** The servers by name, with their URLs and processes. */
type Servers = ReadonlyMap<string, { readonly url: string; readonly process: string }>;

interface Round {
  readonly context: BenchContext;
  readonly queue: DurableQueue;
  readonly servers: Servers;
  readonly gifts: number;
  /** The number of the first sender; so many for the warm-up come before the others. */
  readonly from: number;
}

async function measure({ context, queue, servers, gifts, from }: Round): Promise<Cost> {
  const { progress } = context;
  const system = await singleSystem(context, queue, false);
  const settle = async (count: number, first: number) => {
    const messages = await queue.fill(
      queuedGroups(count, (n) => senderId(first + n)),
      progress,
    );
    const before = await Promise.all([...servers.values()].map(({ url }) => statementsAt(url)));
    const timed = await timeSettling(system, queue, { messages, progress });
    const after = await Promise.all([...servers.values()].map(({ url }) => statementsAt(url)));
    await system.pause();
    return { timed, statements: after.map((sum, at) => sum - (before[at] as number)) };
  };
  await settle(warmUpGifts, from);
  const { timed, statements } = await settle(gifts, from + warmUpGifts);
  await incomesRollUp();
  await system.stop();
  const names = [...servers.keys()];
  const perGift = (sum: number, digits: number) => rounded(sum / gifts, digits);
  const cpuOf = (name: string) => timed.cpu[servers.get(name)?.process as string] ?? Number.NaN;
  return {
    rate: Math.round(gifts / timed.seconds),
    cpuMicrosPerGift: Object.fromEntries(names.map((name) => [name, perGift(cpuOf(name), 1)])),
    statementsPerGift: Object.fromEntries(names.map((name, at) => [name, perGift(statements[at] as number, 4)])),
    servicesCpuMicrosPerGift: perGift(timed.cpu.services ?? Number.NaN, 1),
  };
}

/** Starts a second MySQL server beside those of the benchmark, and makes it ready; every second bucket is on it. */
async function addSecond({ servers, dir, closing, progress }: BenchContext): Promise<string> {
  const { REDIS_URL, NATS_URL } = process.env;
  const stack = await startStack({
    dir: `${dir ?? benchDir()}-second`,
    preferredPorts: { mysql: 15406 },
    log: progress,
    env: { PROFILE: "local", ...(REDIS_URL && { REDIS_URL }), ...(NATS_URL && { NATS_URL }) },
  });
  closing.add(() => stack.stop());
  const { servers: running } = await stackStatus(stack.dir);
  servers.pids["mysql b"] = running.find(({ name }) => name === "mysql")?.pid;
  const { MYSQL_URL } = config();
  process.env.WALLET_MYSQL_URLS = `home=${MYSQL_URL},b=${stack.mysqlUrl}`;
  readConfigAgain();
  const named = walletServers();
  if (!named) throw new Error("there are two servers");
  await addServers(named, MYSQL_URL);
  const odd = Array.from({ length: limits.wallet.storeBuckets }, (_, bucket) => bucket).filter(isAway);
  const run = async (url: string, sql: string, values: unknown[]) => {
    const connection = await openConnection(url, { database: databaseName("wallet") });
    await connection.query(sql, values);
    await connection.end();
  };
  await run(MYSQL_URL, "INSERT INTO t_wallet_bucket (bucket, server, revision) VALUES ?", [
    odd.map((bucket) => [bucket, "b", 1]),
  ]);
  await run(MYSQL_URL, "UPDATE t_wallet_gate SET is_open = 0 WHERE bucket IN (?)", [odd]);
  await run(stack.mysqlUrl, "UPDATE t_wallet_gate SET is_open = 1, revision = 1 WHERE bucket IN (?)", [odd]);
  return stack.mysqlUrl;
}

const isAway = (bucket: number) => bucket % 2 === 1;

/** Gifts that are on both servers, and rows that neither has; of each server by itself its books. */
async function problemsOf(urls: readonly string[], gifts: number): Promise<string[]> {
  const seen = new Set<string>();
  let rows = 0;
  for (const url of urls) {
    const connection = await openConnection(url, { database: databaseName("wallet") });
    try {
      const [found] = await connection.query(
        `SELECT t.biz_id FROM t_qiyu_currency_trade t JOIN ${databaseName("gift")}.t_gift_record r
           ON r.order_id = t.biz_id AND r.status = t.status AND r.user_id = t.user_id WHERE t.type = 0 AND t.status = 1`,
      );
      for (const { biz_id } of found as { biz_id: string }[]) seen.add(biz_id);
      rows += (found as unknown[]).length;
      const [[off]] = (await connection.query(
        `SELECT COUNT(*) AS accounts FROM t_qiyu_currency_account a LEFT JOIN (SELECT user_id, SUM(num) AS total
           FROM t_qiyu_currency_trade WHERE status = 1 GROUP BY user_id) t USING (user_id)
         WHERE a.current_balance <> COALESCE(t.total, 0)`,
      )) as unknown as [{ accounts: number }[]];
      if (Number(off?.accounts) > 0) return [`${off?.accounts} accounts are not the sums of their rows`];
    } finally {
      await connection.end();
    }
  }
  return rows === gifts && seen.size === gifts
    ? []
    : [`${gifts} gifts: ${rows} rows with records, ${seen.size} orders`];
}

/**
 * Settling on one MySQL server, and then with users on two. What two servers can settle more than one is by the CPU that a
 * gift costs each of them: on a machine with fewer cores than servers and services it is not to be seen in the rate.
 */
export async function runOnServers(context: BenchContext): Promise<BenchResult> {
  const { topology, closing, progress, servers } = context;
  const gifts = context.gifts || defaultGifts;
  const each = gifts + warmUpGifts;
  const { MYSQL_URL } = config();
  await makeTables();
  const wallet = databaseName("wallet");
  progress(`seeding ${each} accounts on one server`);
  await seedAccounts(wallet, each, senderId, coins, progress);
  const queue = await openGiftQueue(closing);
  const home = { url: MYSQL_URL, process: "mysql" };
  const one = await measure({ context, queue, servers: new Map([["home", home]]), gifts, from: 0 });
  progress(`one server: ${one.rate} gifts a second, ${one.cpuMicrosPerGift.home} µs of its CPU a gift`);
  const problems = await conservationProblems(productBooks(each));
  const urlOfB = await addSecond(context);
  const senders = Array.from({ length: each }, (_, n) => senderId(each + n));
  for (const [url, own] of [
    [MYSQL_URL, senders.filter((user) => !isAway(storeBucketOf(user)))],
    [urlOfB, senders.filter((user) => isAway(storeBucketOf(user)))],
  ] as const)
    await seedAccounts(wallet, own.length, (n) => own[n] as string, coins, progress, url);
  const both = new Map([
    ["home", home],
    ["b", { url: urlOfB, process: "mysql b" }],
  ]);
  const two = await measure({ context, queue, servers: both, gifts, from: each });
  const most = Math.max(...Object.values(two.cpuMicrosPerGift));
  const ratio = rounded((one.cpuMicrosPerGift.home as number) / most, 2);
  progress(`two servers: ${two.rate} gifts a second; by the CPU of the busier one they settle ${ratio} times as much`);
  problems.push(...(await problemsOf([MYSQL_URL, urlOfB], 2 * each)));
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  delete servers.pids["mysql b"];
  return { topology, gifts, one, two, ratio, conserved: problems.length === 0 };
}
