/** An im-server node in a process of its own, with the settings of its argument, which is JSON. */
import { ServiceBroker } from "moleculer";
import { brokerOptions } from "../../../broker/options.ts";
import { onStopSignal } from "../../../scripts/stop-signal.ts";
import imServer from "../../../services/im-server/im-server.service.ts";

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>;
  const broker = new ServiceBroker(brokerOptions(process.env.NODE_LABEL));
  broker.createService({ ...imServer, settings: { ...imServer.settings, ...settings } });
  const stopped = onStopSignal(() => broker.stop());
  await broker.start();
  console.log(`ready ${JSON.stringify({ nodeId: broker.nodeID })}`);
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
