import { cpus, loadavg } from "node:os";
import { requireNode } from "../scripts/node-version.ts";
import { withLock } from "../scripts/stack/lock.ts";
import { messageOf } from "../scripts/stack/wait.ts";
import { onStopSignal } from "../scripts/stop-signal.ts";
import { Closing } from "./support/closing.ts";
import type { BenchContext, BenchResult } from "./support/context.ts";
import { type BenchName, type BenchOptions, parseOptions } from "./support/options.ts";
import { rounded } from "./support/percentiles.ts";
import { benchDir, openServers } from "./support/servers.ts";

const USAGE = `Benchmarks, on private servers of their own (.stack/bench), with the conservation check over all rows at the end.

  npm run bench -- NAME [--json] [options]

NAME
  settle    a burst of 100,000 accepted gifts, beside the usual design (bench/baseline)
  accept    gift/send over HTTP, beside an empty moleculer-web action
  burst     100,000 users press at once: until all is accepted, settled and seen, beside a debit in the request
  latency   from the HTTP answer to the frame at a viewer, at 500, 1000 and 3000 gifts a second
  scale     settling with more accounts, more trades in the table and more wallet nodes
  fanout    one room of 500 and of 5000 viewers at 10, 100 and 1000 gifts a second, and the highest rate that is
            sustained, beside Socket.IO with its Redis adapter; also version 2 of the protocol, plain and compressed
  rooms     100 rooms of 100 viewers on two im-servers, with steady gifts in all of them
  idle      connections that only beat: memory and CPU of each
  battle    100 battles between rooms at once, 2000 gifts a second: live scores, their cost, and exact results
  webhooks  100 webhooks of which half have receivers that hang, 500 deliveries a second; and a node killed in the middle
  gate      gift/send with a gate that answers, answers late, and hangs, beside no gate
  storm     a node with 5000 connections killed while gifts fly: how long until all are back, and what they missed
--json                     the last line of the output is one JSON object
--topology single|cluster  settle: all in one process, or two processes each of gift and wallet
                           burst: all in one process, or nine, two of them gateways, two gift and two wallet
--users N                  burst: another number of users
--gifts N                  settle, scale: another number of gifts
--quick                    scale: 3 million trades at the most, not 30; accept: fewer rounds and senders; the IM ones:
                           fewer connections; gate: one round of each kind
--accounts N               scale: with these accounts alone, each with ten trades, on one and two wallet nodes
--archived                 scale: the books of which most is archived and those that they are compared with, no others;
                           with --accounts N smaller ones: N trades beside 30 N
--server-api               accept: gifts/send of the server API, with an API key and the platform's ids
--traces                   accept: systems without and with traces, in turns
--without NAME,...         accept: these services do not run, to see what they cost
--servers 2                settle: users on two MySQL servers, beside all on one: what a gift costs each
--no-books                 settle: without seals and without the auditor, to compare
--stack FOLDER             on the private servers of this folder; by default .stack/bench
--profile FILE             a CPU profile of the services that are measured

How much load the IM ones make (--quick: less of it):
--viewers N,...            fanout, rooms: viewers of a room; each size is measured
--rates N,...              fanout, rooms, storm: gifts a second in a room; each rate is measured (storm: the first);
                           latency, battle: gifts a second; webhooks: deliveries a second
--seconds N                fanout, rooms, latency, battle, webhooks: how long each rate is kept; accept, gate: how long a
                           round is; idle: how long connections beat; storm: how long gifts fly at the most
--rooms N                  rooms, storm: how many; battle: how many battles
--connections N            storm, idle: how many; accept, gate: of the load (64, 512); webhooks: how many webhooks
--senders N                fanout, rooms, storm: users who send (50); with fewer of them more gifts of a tick are merged;
                           accept, gate: users who send (200)
--most N                   fanout: the highest rate that is tried in the search for what is sustained`;

const otherBenchDeadlineMs = 60 * 60_000;
/** How long what was opened may take to close after a failure. */
const closeDeadlineMs = 10_000;

const benches: Record<BenchName, () => Promise<{ run(context: BenchContext): Promise<BenchResult> }>> = {
  settle: () => import("./settle/settle.ts"),
  accept: () => import("./accept/accept.ts"),
  burst: () => import("./burst/burst.ts"),
  latency: () => import("./latency/latency.ts"),
  scale: () => import("./scale/scale.ts"),
  fanout: () => import("./im/fanout.ts"),
  rooms: () => import("./im/rooms.ts"),
  idle: () => import("./im/idle.ts"),
  storm: () => import("./im/storm.ts"),
  battle: () => import("./battle/battle.ts"),
  webhooks: () => import("./webhooks/webhooks.ts"),
  gate: () => import("./gate/gate.ts"),
};

/** Failures that are printed already. */
const told = new Set<unknown>();

async function runBench(options: BenchOptions & { name: BenchName }, closing: Closing): Promise<BenchResult> {
  const startedAt = Date.now();
  const loadBefore = loadavg()[0] as number;
  const progress = (line: string) => {
    // Standard output is for the result alone.
    process.stderr.write(`[${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
  };
  const servers = await openServers(progress, closing, { dir: options.dir });
  const { run } = await benches[options.name]();
  const result = await run({ ...options, servers, closing, progress });
  const loadAverage = [loadBefore, loadavg()[0] as number].map((load) => rounded(load, 2));
  const about = { bench: options.name, node: process.version, cores: cpus().length };
  return { ...about, when: new Date(startedAt).toISOString(), loadAverage, ...result };
}

async function main(): Promise<void> {
  requireNode();
  const options = parseOptions(process.argv.slice(2));
  const { name } = options;
  if (name === undefined || options.help) {
    console.log(USAGE);
    process.exitCode = options.help ? 0 : 2;
    return;
  }
  const closing = new Closing();
  void onStopSignal(() => closing.closeAll()).finally(() => process.exit(130));
  const onWait = (holder: number) =>
    process.stderr.write(`another benchmark runs (process ${holder}): waiting for it\n`);
  const lock = { deadlineMs: otherBenchDeadlineMs, pollMs: 2_000, onWait };
  const report = await withLock(options.dir ?? benchDir(), "bench", lock, async () => {
    try {
      return await runBench({ ...options, name }, closing);
    } catch (error) {
      // The reason first: what did not start may not end either.
      console.error(messageOf(error));
      told.add(error);
      setTimeout(() => process.exit(1), closeDeadlineMs);
      throw error;
    } finally {
      await closing.closeAll();
    }
  });
  console.log(options.json ? JSON.stringify(report) : JSON.stringify(report, null, 2));
  if (!report.conserved) {
    console.error("the books do not add up: see above");
    process.exitCode = 1;
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    if (!told.has(error)) console.error(messageOf(error));
    process.exit(1);
  },
);
