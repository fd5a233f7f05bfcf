import { isServiceName, launch, serviceNames } from "../broker/launch.ts";
import { config } from "../config/config.ts";
import { portsOf } from "./bound-ports.ts";
import { requireNode } from "./node-version.ts";
import { readStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";
import { onStopSignal } from "./stop-signal.ts";

const USAGE = `Starts one Moleculer node with the named services.

  npm run node -- NAME...         NAME: ${serviceNames.join(", ")}
  npm run node -- all             every service in this one process

The URLs of NATS, Redis and MySQL come from the environment, or else from .stack/env.`;

async function main(): Promise<void> {
  requireNode();
  const names = process.argv.slice(2);
  const chosen = names.length === 1 && names[0] === "all" ? [...serviceNames] : names;
  const unknown = chosen.filter((name) => !isServiceName(name));
  if (chosen.length === 0 || unknown.length > 0) {
    if (unknown.length > 0) console.error(`no such service: ${unknown.join(", ")}\n`);
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  for (const [key, value] of Object.entries(readStackEnv(defaultStackDir()))) process.env[key] ??= value;
  const label = config().NODE_LABEL ?? (chosen.length === serviceNames.length ? "all" : chosen.join("+"));
  // A signal that comes while the services start is obeyed once they have.
  const launching = launch(chosen.filter(isServiceName), label);
  const stopped = onStopSignal(async () => (await launching).stop());
  const broker = await launching;
  // Read by scripts: keep its form.
  console.log(`ready ${JSON.stringify({ nodeId: broker.nodeID, pid: process.pid, ports: portsOf(broker) })}`);
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    process.exit(1);
  },
);
