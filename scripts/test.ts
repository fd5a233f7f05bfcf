import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { printLine } from "../broker/outputs.ts";
import { projectRoot } from "../config/root.ts";
import { type Child, startChild } from "./children.ts";
import { dropNamespace } from "./drop-namespace.ts";
import { requireNode } from "./node-version.ts";
import { ProgramsMissing, provideHaPrograms } from "./stack/ha/programs.ts";
import { removeRedisLogins } from "./stack/redis-logins.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { messageOf } from "./stack/wait.ts";
import {
  type FileTime,
  hasFailed,
  type JestReport,
  type Outcome,
  outcomeOf,
  repeatable,
  slowestLines,
  timesOf,
} from "./test-report.ts";
import { systemEnv } from "./test-system-env.ts";

const USAGE = `Runs the tests on private servers of their own (.stack/test), beside whatever else runs.

  npm test                        everything; what a machine or a clone cannot run is skipped, and said
  npm test -- --only NAME         unit, integration, e2e (one process), cluster (the same in many processes), ha (three
                                  servers of each kind), drill (a cluster on these, broken under load) or upgrade (a
                                  running cluster of an earlier commit becomes one of this commit)
  npm test -- --only NAME PATTERN the files of it whose path matches
  npm run upgrade-test -- --ref COMMIT    the upgrade alone, from that commit`;

const parts = ["unit", "integration", "e2e", "cluster", "ha", "drill", "upgrade"] as const;
type Part = (typeof parts)[number];

/** Tests of `e2e/alone` about what one process answers: they are the same in a cluster. */
const ofOneProcess = ["bad-input", "example"];

/** Two nodes of each service whose nodes share work, as in production. */
const clusterArgs = ["gift=2", "wallet=2", "im-router=2", "im-server=2"];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };

/** The failed tests, listed again at the end, since a truncated log keeps its last lines. */
const failures: string[] = [];
/** Tests that failed first and passed in the second run. */
const unstable: string[] = [];
/** How long each file took, to see what makes the tests long. */
const times: FileTime[] = [];
const slowestShown = 15;
const startedAt = Date.now();

function say(line: string): void {
  console.log(`\n[${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s] ${line}`);
}

/** The arguments of a run of jest. */
interface Run {
  name: string;
  projects: string[];
  /** Patterns of paths; empty: all files of the projects. */
  patterns: string[];
  /** Patterns of paths that do not run. */
  without: string[];
  env: Record<string, string>;
  oneByOne: boolean;
}

/** Runs jest and returns its report; `undefined` where it wrote none, which counts as a failure. */
async function runJest(stack: Stack, run: Run): Promise<JestReport | undefined> {
  const { name, projects, patterns, without } = run;
  const report = join(stack.dir, `report-${name}.json`);
  rmSync(report, { force: true });
  const flags = ["--json", `--outputFile=${report}`, "--passWithNoTests", ...(run.oneByOne ? ["--runInBand"] : [])];
  const left = without.length > 0 ? ["--testPathIgnorePatterns", ...without] : [];
  const args = ["--selectProjects", ...projects, ...left, ...flags];
  const wanted = patterns.length > 0 ? ["--testPathPatterns", ...patterns] : [];
  const child = startChild({
    name,
    command: process.execPath,
    args: [join(projectRoot(), "node_modules/jest/bin/jest.js"), ...args, ...wanted],
    cwd: projectRoot(),
    env: { TEST_STACK_ENV: join(stack.dir, "env"), ...run.env },
    output: { prefix: `${name.padEnd(11)}|` },
  });
  const { code } = await child.exited;
  try {
    const found: JestReport = JSON.parse(readFileSync(report, "utf8"));
    if (code === 0 || found.testResults.some(hasFailed)) return found;
    failures.push(`${name}: every test passed, but jest ended with exit code ${code}`);
    totals.failed++;
    return found;
  } catch (error) {
    failures.push(`${name}: jest left no report (exit code ${code}): ${messageOf(error)}`);
    totals.failed++;
    return undefined;
  }
}

/**
 * Runs jest on projects and adds its outcome to the totals. Files that only missed deadlines run again, one after the
 * other (test-report.ts). Tests that pass then are listed as unstable, for a person to examine.
 */
async function jest(
  stack: Stack,
  name: string,
  projects: string[],
  patterns: string[],
  env: Record<string, string>,
  without: string[] = [],
) {
  const oneByOne = projects.some((project) => project.startsWith("e2e/"));
  const first = await runJest(stack, { name, projects, patterns, without, env, oneByOne });
  if (!first) return;
  times.push(...timesOf(name, first.testResults));
  const repeated = repeatable(first.testResults, projects);
  if (repeated.length === 0) return add(outcomeOf(name, first.testResults));
  say(`${name}: ${repeated.length} files missed deadlines, they run once more`);
  const paths = repeated.map((file) => relative(projectRoot(), file.name).replaceAll(".", "\\."));
  const again = await runJest(stack, {
    name: `${name}-again`,
    projects,
    patterns: paths,
    without,
    env,
    oneByOne: true,
  });
  add(outcomeOf(name, first.testResults, repeated, again));
}

function add(outcome: Outcome): void {
  for (const key of ["passed", "failed", "skipped"] as const) totals[key] += outcome[key];
  failures.push(...outcome.failures);
  unstable.push(...outcome.unstable);
}

/** Runs the end-to-end tests against a system in processes of its own. */
async function endToEnd(stack: Stack, part: "e2e" | "cluster", patterns: string[]): Promise<void> {
  const env = await systemEnv(stack);
  const logs = join(stack.dir, part);
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const topology = part === "e2e" ? ["all=1"] : clusterArgs;
  say(`${part}: starting ${part === "e2e" ? "every service in one process" : `a cluster (${clusterArgs.join(" ")})`}`);
  const system: Child = startChild({
    name: part,
    command: process.execPath,
    // A node that a test kills stays dead for the following tests, which show how the other nodes work without it.
    args: [join(projectRoot(), "scripts/cluster.ts"), "--restarts", "0", "--logs", logs, ...topology],
    cwd: projectRoot(),
    env,
    output: { prefix: `${part.padEnd(11)}|` },
    ready: /^ready (\{.*\})$/,
    readyDeadlineMs: 120_000,
  });
  try {
    const match = await system.ready;
    const { apiUrl, adminUrl, imUrl, nodes } = JSON.parse(match?.[1] ?? "{}") as Record<
      "apiUrl" | "adminUrl" | "imUrl",
      string
    > & {
      nodes: { label: string; pid: number; ports: Record<string, number> }[];
    };
    const urls = { API_URL: apiUrl, ADMIN_URL: adminUrl, IM_URL: imUrl };
    const where = { ...env, ...urls, TOPOLOGY: part, CLUSTER_NODES: JSON.stringify(nodes) };
    await jest(stack, part, part === "e2e" ? ["e2e", "browser"] : ["e2e"], patterns, where);
    await jest(stack, `${part}-alone`, ["e2e/alone"], patterns, where, part === "cluster" ? ofOneProcess : []);
    if (part === "cluster") await jest(stack, `${part}-crash`, ["e2e/crash"], patterns, where);
  } finally {
    await system.stop(40_000);
    await removeSystem(stack, env.NAMESPACE);
  }
}

async function removeSystem(stack: Stack, namespace: string): Promise<void> {
  await dropNamespace(namespace, stack);
  await removeRedisLogins(stack.dir, stack.redisUrl, namespace);
}

/** Upgrades a running system of an earlier commit, `ref` or one that the test chooses, to this code. */
async function upgrade(stack: Stack, ref: string | undefined): Promise<void> {
  say("upgrade: a running system of an earlier commit becomes one of this commit");
  const env = await systemEnv(stack);
  const { skipped } = totals;
  try {
    await jest(stack, "upgrade", ["upgrade"], [], { ...env, ...(ref === undefined ? {} : { UPGRADE_REF: ref }) });
    // The name of the test, above, has the reason.
    if (totals.skipped > skipped) say("upgrade: SKIPPED, this clone has no commit to upgrade from");
  } finally {
    await removeSystem(stack, env.NAMESPACE);
  }
}

/** The tests of three servers of each kind, or on them, unless these cannot be had on this machine. */
async function severalServers(stack: Stack, part: "ha" | "drill", patterns: string[]): Promise<void> {
  say(
    `${part} tests: ${part === "ha" ? "three servers of each kind" : "a cluster on three servers of each kind, broken"}`,
  );
  try {
    await provideHaPrograms(stack.dir, process.env, printLine);
  } catch (error) {
    if (!(error instanceof ProgramsMissing)) throw error;
    say(`${part}: SKIPPED, its servers cannot be installed here. ${messageOf(error)}`);
    return;
  }
  await jest(stack, part, [part], patterns, {});
}

async function main(): Promise<void> {
  requireNode();
  // The tests start some two hundred processes; compiled modules spare each about half a second of CPU time.
  process.env.NODE_COMPILE_CACHE ??= join(projectRoot(), ".stack/compile-cache");
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: "string" }, ref: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help || (values.only && !parts.includes(values.only as Part))) return console.log(USAGE);
  const wanted = (part: Part) => !values.only || values.only === part;
  say("servers: private ones for the tests");
  const stack = await startStack({
    dir: join(projectRoot(), ".stack/test"),
    preferredPorts: { nats: 15222, redis: 17379, mysql: 14306 },
  });
  try {
    for (const part of ["unit", "integration"] as const)
      if (wanted(part)) {
        say(`${part} tests`);
        await jest(stack, part, [part], positionals, {});
      }
    for (const part of ["e2e", "cluster"] as const) if (wanted(part)) await endToEnd(stack, part, positionals);
    for (const part of ["ha", "drill"] as const) if (wanted(part)) await severalServers(stack, part, positionals);
    if (wanted("upgrade")) await upgrade(stack, values.ref);
  } finally {
    await stack.stop();
  }
  say("done");
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  if (!values.only) console.log(`\nThe slowest files:\n${slowestLines(times, slowestShown).join("\n")}`);
  if (unstable.length > 0) console.log(`\nUnstable, it failed and then passed by itself:\n${list(unstable)}`);
  if (failures.length > 0) console.log(`\nWhat failed:\n${list(failures)}`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  // Without history the upgrade is skipped, which is all that it can say.
  const nothing = totals.passed === 0 && !(values.only === "upgrade" && totals.skipped > 0);
  process.exitCode = totals.failed > 0 || nothing ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
