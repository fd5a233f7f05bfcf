/**
 * A node of one service in a process of its own. Arguments: the service, its settings as JSON, and by how many ms its
 * clock is wrong.
 */
import { join } from "node:path";
import { ServiceBroker, type ServiceSchema } from "moleculer";
import { brokerOptions } from "../../broker/options.ts";
import { projectRoot } from "../../config/root.ts";
import { onStopSignal } from "../../scripts/stop-signal.ts";

const [service = "", settings = "{}", wrongMs = "0"] = process.argv.slice(2);

/** The clock that services see; timers go by another one. */
function setClockWrong(ms: number): void {
  const now = Date.now.bind(Date);
  const Right = Date;
  Date.now = () => now() + ms;
  globalThis.Date = new Proxy(Right, {
    construct: (target, args) => Reflect.construct(target, args.length === 0 ? [Right.now()] : args),
  });
}

async function main(): Promise<void> {
  if (wrongMs !== "0") setClockWrong(Number(wrongMs));
  const file = join(projectRoot(), `services/${service}/${service}.service.ts`);
  const { default: schema } = (await import(file)) as { default: ServiceSchema };
  const broker = new ServiceBroker(brokerOptions({ role: service, label: process.env.NODE_LABEL }));
  broker.createService({ ...schema, settings: { ...schema.settings, ...(JSON.parse(settings) as object) } });
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
