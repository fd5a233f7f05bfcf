import type { AddressInfo } from "node:net";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import { onStopSignal } from "../../scripts/stop-signal.ts";

/**
 * The action that gift/send is compared with: moleculer-web as its guide sets it up, with the JSON body parsed, and an
 * action that does nothing, in one process without a transporter.
 */
async function main(): Promise<void> {
  const broker = new ServiceBroker({ nodeID: "empty", logLevel: "warn" });
  broker.createService({ name: "empty", actions: { run: () => ({}) } });
  broker.createService({
    name: "api",
    mixins: [ApiGateway as ServiceSchema],
    settings: {
      ip: "127.0.0.1",
      port: 0,
      routes: [
        {
          path: "/live/api",
          aliases: { "POST gift/send": "empty.run" },
          mappingPolicy: "restrict",
          bodyParsers: { json: true },
        },
      ],
    },
  });
  const stopped = onStopSignal(() => broker.stop());
  await broker.start();
  const { server } = broker.getLocalService("api") as unknown as { server: { address(): AddressInfo } };
  // The benchmark parses this line.
  console.log(`ready ${JSON.stringify({ port: server.address().port })}`);
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
