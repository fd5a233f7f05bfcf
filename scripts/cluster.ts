import { join } from "node:path";
import { parseArgs } from "node:util";
import { isServiceName, serviceNames } from "../broker/launch.ts";
import { projectRoot } from "../config/root.ts";
import { type Child, startChild } from "./children.ts";
import { type Env, localEnv, publishEnv } from "./local-env.ts";
import { requireNode } from "./node-version.ts";
import { startStack } from "./stack/stack.ts";
import { becomesTrue, messageOf } from "./stack/wait.ts";
import { onStopSignal } from "./stop-signal.ts";

const USAGE = `Starts many nodes on this machine, each a process of its own.

  npm run cluster -- wallet=2 gift=2 im-server=2 ...
  npm run cluster -- all=2        nodes with every service each

NAME=COUNT for each of: ${serviceNames.join(", ")}.
A service that is not named gets one node; NAME=0 leaves it out. --logs FOLDER keeps the nodes' logs there.`;

/** As in package.json: short-lived objects of a burst die young in a larger nursery (docs/performance.md). */
const nodeFlags = ["--max-semi-space-size=64"];

const stopDeadlineMs = 20_000;
const readyDeadlineMs = 15_000;

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

interface NodeOfCluster {
  label: string;
  child: Child;
}

function startNode(label: string, service: string, env: Env, logDir: string): NodeOfCluster {
  const child = startChild({
    name: label,
    command: process.execPath,
    args: [...nodeFlags, join(projectRoot(), "scripts/node.ts"), service],
    cwd: projectRoot(),
    env: { ...env, NODE_LABEL: label, API_PORT_SEARCH: "true" },
    output: { file: join(logDir, `${label}.log`) },
    ready: /^ready (\{.*\})$/,
  });
  return { label, child };
}

/** Gateways first come, first served: the first one gets the port that the others were told of. */
async function startAll(nodes: NodeOfCluster[], counts: Map<string, number>, env: Env, logDir: string): Promise<void> {
  for (const [service, count] of counts)
    for (let i = 1; i <= count; i++) {
      const node = startNode(`${service}-${i}`, service, env, logDir);
      nodes.push(node);
      if (service === "api-gateway" || service === "all") await node.child.ready;
    }
}

/** The nodes have started; this waits until they have found each other. */
async function untilReady(apiUrl: string): Promise<void> {
  let said = "nothing";
  const ready = await becomesTrue(async () => {
    const response = await fetch(`${apiUrl}/health/ready`);
    said = await response.text();
    return response.ok;
  }, readyDeadlineMs);
  if (!ready) console.log(`not every service is there (${said}); the nodes run all the same`);
}

async function main(): Promise<void> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean" }, logs: { type: "string" } },
  });
  if (values.help) return console.log(USAGE);
  const counts = parseCounts(positionals);
  const stack = await startStack({ dir: process.env.STACK_DIR });
  const nodes: NodeOfCluster[] = [];
  const stopAll = async () => {
    await Promise.all(nodes.map(({ child }) => child.stop(stopDeadlineMs)));
    await stack.stop();
  };
  const stopped = onStopSignal(async () => {
    console.log("stopping: nodes first, then the private servers");
    await stopAll();
  });
  try {
    const env = await localEnv(stack);
    const logDir = values.logs ?? join(stack.dir, "cluster");
    console.log(`starting ${[...counts.values()].reduce((a, b) => a + b, 0)} nodes (logs in ${logDir})`);
    await startAll(nodes, counts, env, logDir);
    let imUrl = "";
    const started: { label: string; pid: number | undefined; ports: Record<string, number> }[] = [];
    for (const { label, child } of nodes) {
      const match = await child.ready;
      const { ports } = JSON.parse(match?.[1] ?? "{}") as { ports: Record<string, number> };
      started.push({ label, pid: child.pid, ports });
      if (ports["im-server"]) imUrl ||= `ws://127.0.0.1:${ports["im-server"]}/im`;
      const shown = Object.values(ports).map((port) => ` port ${port}`);
      console.log(`${label.padEnd(16)} pid ${String(child.pid).padEnd(8)}${shown.join("")}`);
      void child.exited.then(({ code, signal }) => console.log(`${label} ended (${signal ?? `exit code ${code}`})`));
    }
    await publishEnv(stack, env, imUrl);
    if (counts.get("api-gateway") || counts.get("all")) await untilReady(env.API_URL as string);
    // Read by scripts: keep its form.
    console.log(`ready ${JSON.stringify({ apiUrl: env.API_URL, imUrl, nodes: started })}`);
  } catch (error) {
    await stopAll();
    throw error;
  }
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  },
);
