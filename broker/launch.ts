import { setTimeout as pause } from "node:timers/promises";
import { type ServiceBroker as Broker, ServiceBroker, type ServiceSchema } from "moleculer";
import { limits } from "../config/limits.ts";
import { roleOf } from "./bus/roles.ts";
import { logUncaughtErrorsTo } from "./fatal-errors.ts";
import { brokerOptions } from "./options.ts";
import type { ServiceName } from "./service-names.ts";

export { isServiceName, type ServiceName, serviceNames } from "./service-names.ts";

/**
 * Starts one Moleculer node with the named services. Resolves once all of them have started and answer. Rejects where
 * one of them cannot start; the others are stopped, for `limits.rpc.shutdownTimeoutMs` at the most. Then the caller
 * ends the process, or stops the broker later. `label` names the node for people.
 */
export async function launch(names: readonly ServiceName[], label?: string): Promise<Broker> {
  const broker = new ServiceBroker(brokerOptions({ role: roleOf(names), label }));
  logUncaughtErrorsTo(broker);
  for (const name of names) {
    const module = (await import(`../services/${name}/${name}.service.ts`)) as { default: ServiceSchema };
    broker.createService(module.default);
  }
  try {
    await broker.start();
  } catch (error) {
    await Promise.race([broker.stop(), pause(limits.rpc.shutdownTimeoutMs)]);
    throw error;
  }
  return broker;
}
