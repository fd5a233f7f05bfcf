import { join } from "node:path";
import { parseArgs } from "node:util";
import { endOnUncaughtErrors } from "../broker/fatal-errors.ts";
import { isServiceName, serviceNames } from "../broker/launch.ts";
import { endProcess, printError, printLine } from "../broker/outputs.ts";
import { childEnv, type Env, localEnv, natsEnv, publishEnv } from "./local-env.ts";
import { type NodeReady, readNodeReady, startNodeChild } from "./node-child.ts";
import { requireNode } from "./node-version.ts";
import { type RestartLimits, readRestarts } from "./restart-policy.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { becomesTrue, messageOf } from "./stack/wait.ts";
import { npmGone, onStopSignal } from "./stop-signal.ts";
import { type End, Supervised } from "./supervisor.ts";

const USAGE = `Starts many nodes on this machine, each a process of its own.

  npm run cluster -- wallet=2 gift=2 im-server=2 ...
  npm run cluster -- all=2        nodes with every service each

NAME=COUNT for each of: ${serviceNames.join(", ")}.
A service that is not named gets one node; NAME=0 leaves it out. --logs FOLDER keeps the nodes' logs there.
A node that ends by itself is started again; --restarts N is how often within ten minutes; with 0 it stays down.`;

const readyDeadlineMs = 15_000;

type Node = Supervised<NodeReady>;

function parseCounts(args: readonly string[]): Map<string, number> {
  const every = args.some((arg) => arg.startsWith("all="));
  const counts = new Map<string, number>(every ? [] : serviceNames.map((name) => [name, 1]));
  for (const arg of args) {
    const [, name = "", count = ""] = /^([a-z-]+)=(\d{1,2})$/.exec(arg) ?? [];
    if (!isServiceName(name) && name !== "all") throw new Error(`not understood: ${arg}\n\n${USAGE}`);
    counts.set(name, Number(count));
  }
  return counts;
}

function sayPlace(label: string, { pid, ports }: NodeReady): void {
  const shown = Object.values(ports).map((port) => ` port ${port}`);
  printLine(`${label.padEnd(16)} pid ${String(pid).padEnd(8)}${shown.join("")}`);
}

interface Plan {
  counts: Map<string, number>;
  logDir: string;
  limits: RestartLimits;
}

const servicesOf = (service: string) => (service === "all" ? serviceNames : [service]);

function startNode(label: string, service: string, settings: Env, { logDir, limits }: Plan): Node {
  const file = join(logDir, `${label}.log`);
  const own = childEnv(servicesOf(service), settings);
  const node = new Supervised({
    name: label,
    start: (former) => startNodeChild({ label, services: [service], env: own, former, output: { file } }),
    read: readNodeReady,
    limits,
    tell: printLine,
    restarted: (ready) => sayPlace(label, ready),
  });
  void node.over.then((end) => {
    if (end === "givenUp") printLine(`${label} stays down, the other nodes run on; look at ${file}`);
  });
  return node;
}

/** The provisioner first: the others wait for it where a stream or a consumer is missing. */
const inStartOrder = (counts: Plan["counts"]) =>
  [...counts].sort(([one], [other]) => Number(other === "provisioner") - Number(one === "provisioner"));

/**
 * The first gateway takes the port of API_URL, which the other nodes know, or fails to start: otherwise API_URL would
 * lead to another program. Further gateways take the next free ports. So it is with ADMIN_URL and admin-gateways.
 */
async function startAll(nodes: Node[], stack: Stack, env: Env, plan: Plan): Promise<void> {
  // All logins at once: while the server reads its configuration again it refuses others for some milliseconds.
  await natsEnv(stack, serviceNames);
  const search = { API_PORT_SEARCH: "false", ADMIN_PORT_SEARCH: "false" };
  for (const [service, count] of inStartOrder(plan.counts))
    for (let i = 1; i <= count; i++) {
      const settings = { ...env, ...(await natsEnv(stack, servicesOf(service))), ...search };
      const node = startNode(`${service}-${i}`, service, settings, plan);
      nodes.push(node);
      const listens = { API_PORT_SEARCH: "api-gateway", ADMIN_PORT_SEARCH: "admin-gateway" } as const;
      for (const setting of ["API_PORT_SEARCH", "ADMIN_PORT_SEARCH"] as const) {
        if (service !== listens[setting] && service !== "all") continue;
        await node.ready;
        search[setting] = "true";
      }
    }
}

/** The nodes have started. This waits until they have discovered each other. */
async function untilReady(apiUrl: string): Promise<void> {
  let said = "nothing";
  const ready = await becomesTrue(async () => {
    const response = await fetch(`${apiUrl}/health/ready`);
    said = await response.text();
    return response.ok;
  }, readyDeadlineMs);
  if (!ready) printLine(`not every service is there (${said}); the nodes run all the same`);
}

/** Prints the addresses of the nodes, for people and for scripts. */
async function sayWhere(stack: Stack, env: Env, nodes: readonly Node[], counts: Plan["counts"]): Promise<void> {
  let imUrl = "";
  const started: { label: string; pid: number; ports: NodeReady["ports"] }[] = [];
  for (const { name: label, ready } of nodes) {
    const { pid, ports } = await ready;
    started.push({ label, pid, ports });
    if (ports["im-server"]) imUrl ||= `ws://127.0.0.1:${ports["im-server"]}/im`;
    sayPlace(label, await ready);
  }
  await publishEnv(stack, env, imUrl);
  if (counts.get("api-gateway") || counts.get("all")) await untilReady(env.API_URL as string);
  // Scripts parse this line: keep its format.
  printLine(`ready ${JSON.stringify({ apiUrl: env.API_URL, adminUrl: env.ADMIN_URL, imUrl, nodes: started })}`);
}

/** Why a cluster without a running node has ended. */
function sayNoneLeft(ends: readonly End[]): string | undefined {
  return ends.includes("givenUp") ? "no node is left, and some ended too often" : undefined;
}

/** Returns the exit code: 0 where it was asked to end. */
async function run(stack: Stack, plan: Plan, npm: Promise<void>): Promise<number> {
  const { counts, logDir, limits } = plan;
  const watch = stack.watch({ tell: printLine, limits });
  const nodes: Node[] = [];
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await watch.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await stack.stop();
  };
  const stopped = onStopSignal(async (reason) => {
    printLine(`stopping (${reason}): nodes first, then the private servers`);
    await stop();
  }, npm);
  try {
    printLine("MySQL: migrating databases, a login for each service");
    const env = await localEnv(stack);
    if (stopping) return await stopped.then(() => 0);
    printLine(`starting ${[...counts.values()].reduce((a, b) => a + b, 0)} nodes (logs in ${logDir})`);
    await startAll(nodes, stack, env, plan);
    await sayWhere(stack, env, nodes, counts);
    const allOver = Promise.all(nodes.map(({ over }) => over)).then((ends) =>
      stopping ? undefined : sayNoneLeft(ends),
    );
    const givenUp = await Promise.race([stopped, allOver, watch.givenUp]);
    if (givenUp !== undefined) printError(`${givenUp}. Everything is stopped.`);
    await (stopping ? stopped : stop());
    return givenUp === undefined ? 0 : 1;
  } catch (error) {
    // A node that is asked to end during its start ends before it is ready.
    if (stopping) return await stopped.then(() => 0);
    await stop();
    throw error;
  }
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean" }, logs: { type: "string" }, restarts: { type: "string" } },
  });
  if (values.help) {
    printLine(USAGE);
    return 0;
  }
  const counts = parseCounts(positionals);
  const limits = readRestarts(values.restarts);
  endOnUncaughtErrors();
  const npm = npmGone("cluster");
  const stack = await startStack({ dir: process.env.STACK_DIR });
  return run(stack, { counts, logDir: values.logs ?? join(stack.dir, "cluster"), limits }, npm);
}

main().then(endProcess, (error: unknown) => {
  printError(messageOf(error));
  return endProcess(1);
});
