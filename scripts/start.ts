import { join } from "node:path";
import { parseArgs } from "node:util";
import { endOnUncaughtErrors } from "../broker/fatal-errors.ts";
import { serviceNames } from "../broker/launch.ts";
import { endProcess, printError, printLine } from "../broker/outputs.ts";
import { childEnv, type Env, localEnv, natsEnv, publishEnv } from "./local-env.ts";
import { type NodeReady, readNodeReady, startNodeChild } from "./node-child.ts";
import { requireNode } from "./node-version.ts";
import { type RestartLimits, readRestarts } from "./restart-policy.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { messageOf } from "./stack/wait.ts";
import { npmGone, onStopSignal } from "./stop-signal.ts";
import { Supervised } from "./supervisor.ts";

const USAGE = `Everything on this machine: private servers, migrations, data, and all services in one process.

  npm start [-- --restarts N]     how often the services, or a server, are started again within ten minutes when they
                                  end by themselves`;

/** The node with every service. Its output, except the ready line, is shown. */
function startServices(env: Env, logFile: string, former: NodeReady | undefined) {
  const to = (line: string) => {
    if (!line.startsWith("ready {")) printLine(`services | ${line}`);
  };
  const settings = { ...env, LOG_FILE: logFile };
  const own = childEnv(serviceNames, settings);
  return startNodeChild({ label: "all", services: ["all"], env: own, former, output: { to } });
}

/** Returns the exit code: 0 where it was asked to end. */
async function run(stack: Stack, limits: RestartLimits, npm: Promise<void>): Promise<number> {
  const watch = stack.watch({ tell: printLine, limits });
  let services: Supervised<NodeReady> | undefined;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    await watch.stop();
    await services?.stop();
    await stack.stop();
  };
  const stopped = onStopSignal(async (reason) => {
    printLine(`stopping (${reason}): services first, then the private servers`);
    await stop();
  }, npm);
  try {
    printLine("MySQL: migrating databases, a login for each service");
    const env = { ...(await localEnv(stack)), ...(await natsEnv(stack, serviceNames)) };
    const logFile = process.env.LOG_FILE ?? join(stack.dir, "ovation.log");
    if (stopping) return await stopped.then(() => 0);
    printLine("services: starting");
    const isUp = async ({ pid, ports }: NodeReady) => {
      const imUrl = `ws://127.0.0.1:${ports["im-server"]}/im`;
      await publishEnv(stack, env, imUrl);
      printLine(`services: all ${serviceNames.length} are up (pid ${pid}, log: ${logFile})`);
      printLine(
        `\nOvation is at ${env.API_URL}/   (docs at ${env.API_URL}/docs, rooms at ${imUrl}),\nand for the staff at ${env.ADMIN_URL}/admin. Ctrl-C stops it.`,
      );
    };
    services = new Supervised({
      name: "services",
      start: (former) => startServices(env, logFile, former),
      read: readNodeReady,
      limits,
      tell: printLine,
      restarted: (ready) => void isUp(ready).catch((error: unknown) => printError(messageOf(error))),
    });
    await isUp(await services.ready);
    const givenUp = await Promise.race([
      stopped,
      services.over.then((end) => (end === "givenUp" ? `the services ended too often; look at ${logFile}` : undefined)),
      watch.givenUp,
    ]);
    if (givenUp !== undefined) printError(`${givenUp}. Everything is stopped.`);
    await (stopping ? stopped : stop());
    return givenUp === undefined ? 0 : 1;
  } catch (error) {
    if (stopping) return await stopped.then(() => 0);
    await stop();
    throw error;
  }
}

async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({ options: { help: { type: "boolean" }, restarts: { type: "string" } } });
  if (values.help) {
    printLine(USAGE);
    return 0;
  }
  const limits = readRestarts(values.restarts);
  endOnUncaughtErrors();
  const npm = npmGone("start");
  return run(await startStack({ dir: process.env.STACK_DIR }), limits, npm);
}

main().then(endProcess, (error: unknown) => {
  printError(messageOf(error));
  return endProcess(1);
});
