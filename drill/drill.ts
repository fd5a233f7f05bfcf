import { existsSync, rmSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Closing } from "../bench/support/closing.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../bench/support/conservation.ts";
import { openServers } from "../bench/support/servers.ts";
import { connectNats } from "../broker/nats-connect.ts";
import { adminOptions } from "../broker/nats-options.ts";
import { projectRoot } from "../config/root.ts";
import { requireNode } from "../scripts/node-version.ts";
import { HaStack } from "../scripts/stack/ha/ha-stack.ts";
import { ProgramsMissing } from "../scripts/stack/ha/programs.ts";
import { withLock } from "../scripts/stack/lock.ts";
import { claimFreePort } from "../scripts/stack/ports.ts";
import { stackStatus } from "../scripts/stack/stack.ts";
import { messageOf } from "../scripts/stack/wait.ts";
import { onStopSignal } from "../scripts/stop-signal.ts";
import { verifyBooks } from "./books/verify.ts";
import type { Drilled, DrillRow } from "./faults/fault.ts";
import { loseAndRestore, takeBackup } from "./faults/restore.ts";
import { Load } from "./load/load.ts";
import { openScene, seedScene } from "./load/scene.ts";
import { type DrillOptions, parseOptions } from "./options.ts";
import { type RowResult, resultOf, tableOf } from "./report.ts";
import { type Outcome, type Rate, RowRun, runRow } from "./row-run.ts";
import { chosenRows, restoreRow } from "./rows.ts";
import { openEntrance } from "./system/entrance.ts";
import { DrillNodes } from "./system/nodes.ts";
import { layouts, placesOf } from "./system/places.ts";

const USAGE = `Breaks a cluster of two of each service, on three servers of each kind, under load, and compares what
clients were answered with the books and with what viewers were shown.

  npm run drill -- [NAME...] [--json] [--list] [--short] [--rate N] [--layout NAME] [--dir FOLDER]

  NAME           a row, or the beginning of the names of some: kill, pause-gift, wipe-mysql (--list shows all)
  --json         the last line of the output is one JSON object
  --short        the rows of npm test alone, at 100 gifts/s
  --rate N       gifts a second: 500
  --layout NAME  ${layouts.join(", ")}: a process for each service, for each on the path of gifts and payments with
                 the others in one (path, the default), or for all
  --dir FOLDER   of the servers and logs, by default .stack/drill, whose servers begin without data

Exit code 0: each row reached its goal; 2: one did not; 1: it could not run. docs/drills.md says what is measured.`;

/** The drill's own folder. */
const ownDir = () => join(projectRoot(), ".stack/drill");
const lockWaitMs = 60_000;

/**
 * In the drill's own folder, servers that do not run begin without data: a drill that was ended within a fault may have
 * left streams that no server has to the end, and with these none gets ready again.
 */
async function emptyOwnServers(progress: (line: string) => void): Promise<void> {
  const data = join(ownDir(), "ha");
  if (!existsSync(data)) return;
  const onWait = (holder: number) => progress(`waiting for process ${holder}, which starts or stops these servers`);
  await withLock(ownDir(), "stack", { deadlineMs: lockWaitMs, onWait }, async () => {
    const { servers } = await stackStatus(ownDir());
    if (servers.some(({ state }) => state !== "stopped")) return;
    progress("the data of the last drill's servers is removed");
    rmSync(data, { recursive: true, force: true, maxRetries: 5 });
  });
}

/** Of each gift: a payment for so many. */
const giftsPerPayment = 150;

async function open(options: DrillOptions, rows: readonly DrillRow[], closing: Closing) {
  const startedAt = Date.now();
  const progress = (line: string) =>
    void process.stderr.write(`[${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s] ${line}\n`);
  const taken = new Set<number>();
  const port = await claimFreePort(20_100, taken);
  const settings = { API_URL: `http://127.0.0.1:${port}`, CALL_TIMEOUT_MS: "8000" };
  const dir = options.dir ?? ownDir();
  if (dir === ownDir()) await emptyOwnServers(progress);
  const servers = await openServers(progress, closing, { dir, ha: true, settings });
  const ha = HaStack.of(dir, progress);
  if (!ha) throw new Error(`single servers run in ${dir}: the drill needs a folder of its own`);
  progress("seeding people and rooms");
  const senders = await seedScene(options.rate, progress);
  const places = placesOf(options.layout);
  const wired = rows.some(({ needsWires }) => needsWires);
  const nodes = await DrillNodes.prepare({ servers, ha, closing, places, wired, progress }, taken);
  await openEntrance(closing, { port, gateways: nodes.gateways, file: join(servers.logs, "entrance") });
  progress(`starting two nodes each of ${places.map(({ name }) => name).join(", ")}`);
  await nodes.start();
  const nats = await connectNats(adminOptions("drill"));
  closing.add(() => nats.close());
  const load = Load.start(closing);
  await load.open(await openScene(port, senders));
  const drilled: Drilled = { nodes, ha, servers, closing, nats, progress };
  return { drilled, load };
}

/** The backup under load, the loss, and the restore: what clients were answered is compared with what came back. */
async function runRestore(drilled: Drilled, load: Load, row: DrillRow, rate: Rate): Promise<Outcome> {
  const run = await RowRun.begin(drilled, load, row.name, rate);
  await run.untilSteady();
  const folder = await takeBackup(drilled);
  return run.endRestored(() => loseAndRestore(drilled, folder));
}

/** After a row that failed on its way: everything runs again, or the drill cannot go on. */
async function heal({ ha, nodes }: Drilled, load: Load): Promise<void> {
  for (const { name, state } of await ha.status()) {
    if (state === "paused") await ha.resume(name);
    if (state === "stopped") await ha.start(name);
  }
  for (const { name } of ha.servers) await ha.waitUntilJoined(name);
  nodes.resumeAll();
  nodes.shiftClocks(0);
  await nodes.untilReady(nodes.all);
  await load.end();
  await load.forget();
}

/** Rejects where what a row left cannot be healed: the drill is over then. */
class Unhealed extends Error {}

async function runOne(drilled: Drilled, load: Load, row: DrillRow, rate: Rate): Promise<RowResult> {
  const { name, title } = row;
  const skipped = row.obstacle?.();
  if (skipped !== undefined) return { name, title, ok: true, skipped };
  try {
    const outcome = await (name === restoreRow ? runRestore : runRow)(drilled, load, row, rate);
    return resultOf(row, outcome);
  } catch (error) {
    drilled.progress(`${name}: ${messageOf(error)}`);
    await heal(drilled, load).catch((left: unknown) => {
      throw new Unhealed(`${messageOf(error)}; then: ${messageOf(left)}`);
    });
    return { name, title, ok: false, error: messageOf(error) };
  }
}

/** All rows of the books, at the end. */
async function wholeBooks({ servers, progress }: Drilled, accepted: number): Promise<string[]> {
  progress("comparing all rows of the books");
  await incomesRollUp();
  const problems = await conservationProblems(productBooks(accepted, Number.MAX_SAFE_INTEGER));
  return [...problems, ...(await verifyBooks(servers.env))];
}

async function drill(options: DrillOptions, closing: Closing) {
  const rows = chosenRows(options);
  const when = new Date().toISOString();
  const { drilled, load } = await open(options, rows, closing);
  const rate: Rate = { gifts: options.rate, payments: options.rate / giftsPerPayment };
  const results: RowResult[] = [];
  for (const [at, row] of rows.entries()) {
    drilled.progress(`row ${at + 1} of ${rows.length}: ${row.title}`);
    const result = await runOne(drilled, load, row, rate).catch((error: unknown) => {
      if (!(error instanceof Unhealed)) throw error;
      return { name: row.name, title: row.title, ok: false, error: error.message, isLast: true };
    });
    results.push(result);
    drilled.progress(JSON.stringify(result));
    if ("isLast" in result) break;
  }
  const accepted = results.reduce((sum, { gifts = 0 }) => sum + gifts, 0);
  const left = results.length < rows.length ? [`${rows.length - results.length} rows were not run`] : [];
  const problems = [...left, ...(await wholeBooks(drilled, accepted))];
  const about = { when, cores: cpus().length, loadAverage: loadavg()[0], layout: options.layout, rate: options.rate };
  return { ...about, ok: problems.length === 0 && results.every(({ ok }) => ok), problems, rows: results };
}

async function main(): Promise<number> {
  requireNode();
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.list) {
    for (const { name, title } of chosenRows(options)) console.log(`${name.padEnd(26)} ${title}`);
    return 0;
  }
  const closing = new Closing();
  void onStopSignal(() => closing.closeAll()).finally(() => process.exit(130));
  try {
    const report = await drill(options, closing);
    console.log(tableOf(report.rows));
    for (const problem of report.problems) console.log(`\nNOT AS IT SHOULD BE: ${problem}`);
    if (options.json) console.log(JSON.stringify(report));
    return report.ok ? 0 : 2;
  } finally {
    await closing.closeAll().catch((error: unknown) => console.error(`not closed: ${messageOf(error)}`));
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(messageOf(error));
    if (error instanceof ProgramsMissing) console.error("The drill needs the servers of npm run stack -- start --ha.");
    process.exit(1);
  },
);
