import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { endOnUncaughtErrors } from "../broker/fatal-errors.ts";
import { isServiceName, launch, serviceNames } from "../broker/launch.ts";
import { endProcess, printError, printLine } from "../broker/outputs.ts";
import { config } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { portsOf } from "./bound-ports.ts";
import { useNodeEnv } from "./local-env.ts";
import { requireNode } from "./node-version.ts";
import { preflight, preflightNote, Refused } from "./preflight-at-start.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";
import { npmGone, onStopSignal, parentGone, stopWithin } from "./stop-signal.ts";

const USAGE = `Starts one Moleculer node with the named services.

  npm run node -- NAME...         NAME: ${serviceNames.join(", ")}
  npm run node -- all             every service in this one process

The URLs of NATS, Redis and MySQL come from the environment, or else from .stack/env, whose databases are migrated first.
The node finds the settings of its services alone; in production it does not start with a secret of others. With --parent=PID the node ends
when the process of that pid, which started it, is gone.

In production it looks at its servers first. Exit code ${limits.preflight.refusedExitCode}: what it found would cost money (npm run preflight).`;

/** Returns the exit code, once the node has ended as asked. */
async function main(): Promise<number> {
  requireNode();
  const { values, positionals: names } = parseArgs({ allowPositionals: true, options: { parent: { type: "string" } } });
  const chosen = names.length === 1 && names[0] === "all" ? [...serviceNames] : names;
  const unknown = chosen.filter((name) => !isServiceName(name));
  if (chosen.length === 0 || unknown.length > 0) {
    if (unknown.length > 0) printError(`no such service: ${unknown.join(", ")}\n`);
    printError(USAGE);
    return 2;
  }
  await useNodeEnv(chosen, defaultStackDir());
  endOnUncaughtErrors();
  if (config().PROFILE === "production") await preflight(chosen);
  const launching = launch(chosen.filter(isServiceName), config().NODE_LABEL);
  // A signal during the start stops the node once the services have started, or after `startPatienceMs`, since they may
  // wait for a server that is away.
  const stop = async () => {
    const broker = await Promise.race([launching, pause(limits.rpc.startPatienceMs)]);
    const { ownStopMs } = limits.restarts;
    const late = () =>
      printError(
        `the node has not stopped within ${ownStopMs / 1_000} s (a server may hang): it ends at once. What it held comes ` +
          "again to other nodes or to the next start.",
      );
    if (broker) await stopWithin(ownStopMs, () => broker.stop(), late);
  };
  const parent = values.parent === undefined ? npmGone("node") : parentGone(Number(values.parent));
  const stopped = onStopSignal(stop, parent);
  const broker = await Promise.race([launching, stopped]);
  if (!broker) return 0;
  // Scripts parse this line: keep its format.
  printLine(`ready ${JSON.stringify({ nodeId: broker.nodeID, pid: process.pid, ports: portsOf(broker) })}`);
  if (config().PROFILE === "local")
    preflightNote(chosen).catch((error: unknown) => broker.logger.warn({ err: error }, "preflight: it could not look"));
  await stopped;
  return 0;
}

main().then(endProcess, (error: unknown) => {
  printError(messageOf(error));
  return endProcess(error instanceof Refused ? limits.preflight.refusedExitCode : 1);
});
