import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { launch, serviceNames } from "../broker/launch.ts";
import { portsOf } from "./bound-ports.ts";
import { localEnv, publishEnv } from "./local-env.ts";
import { requireNode } from "./node-version.ts";
import { startStack } from "./stack/stack.ts";
import { messageOf } from "./stack/wait.ts";
import { onStopSignal } from "./stop-signal.ts";

/** Everything on this machine: private servers, migrations, data, and all services in this one process. */
async function main(): Promise<void> {
  requireNode();
  const stack = await startStack();
  let launching: Promise<ServiceBroker> | undefined;
  const stopped = onStopSignal(async () => {
    console.log("stopping: services first, then the private servers");
    await (await launching)?.stop();
    await stack.stop();
  });
  try {
    const env = await localEnv(stack);
    Object.assign(process.env, env);
    process.env.LOG_FILE ??= join(stack.dir, "ovation.log");
    console.log("services: migrating databases and starting");
    launching = launch(serviceNames, "all");
    const ports = portsOf(await launching);
    const imUrl = `ws://127.0.0.1:${ports["im-server"]}/im`;
    await publishEnv(stack, env, imUrl);
    console.log(`services: all ${serviceNames.length} are up (log: ${process.env.LOG_FILE})`);
    console.log(`\nOvation is at ${env.API_URL}/   (docs at ${env.API_URL}/docs, rooms at ${imUrl}). Ctrl-C stops it.`);
  } catch (error) {
    await stack.stop();
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
