import { ServiceBroker, type ServiceSchema } from "moleculer";
import { roleOf } from "../../broker/bus/roles.ts";
import { serviceNames } from "../../broker/launch.ts";
import { brokerOptions } from "../../broker/options.ts";
import { portsOf } from "../../scripts/bound-ports.ts";
import { onStopSignal } from "../../scripts/stop-signal.ts";

/**
 * Every service in one process but those that are named, with a gift service without channels: accepted gifts stay in
 * the queue.
 */
async function main(): Promise<void> {
  const without = process.argv.slice(2);
  const names = serviceNames.filter((name) => !without.includes(name));
  const broker = new ServiceBroker(brokerOptions({ role: roleOf(names), label: "without-settler" }));
  for (const name of names) {
    const module = (await import(`../../services/${name}/${name}.service.ts`)) as { default: ServiceSchema };
    const withoutChannel = { ...module.default, channels: {} } as ServiceSchema;
    broker.createService(name === "gift" ? withoutChannel : module.default);
  }
  const stopped = onStopSignal(() => broker.stop());
  await broker.start();
  // The benchmark parses this line.
  console.log(`ready ${JSON.stringify({ ports: portsOf(broker) })}`);
  await stopped;
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
