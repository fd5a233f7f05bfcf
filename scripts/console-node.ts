import { ServiceBroker } from "moleculer";
import { brokerOptions } from "../broker/options.ts";
import type { ServiceName } from "../broker/service-names.ts";
import { useConsoleLogin } from "./console-login.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

const servicesWaitMs = 15_000;

/**
 * Does a command's work from a person's console: a node without services that may call what services/access.ts gives
 * consoles. `as`: whose console, where there are logins of several. Fails where one of the services is not there within
 * 15 s.
 */
export async function fromConsole<T>(
  { as, services }: { as: string | undefined; services: readonly ServiceName[] },
  work: (broker: ServiceBroker) => Promise<T>,
): Promise<T> {
  useStackEnv(defaultStackDir());
  const instance = useConsoleLogin(defaultStackDir(), as);
  const broker = new ServiceBroker({ ...brokerOptions({ role: "console", instance }), logger: false });
  await broker.start();
  try {
    await broker.waitForServices([...services], servicesWaitMs);
    return await work(broker);
  } finally {
    await broker.stop();
  }
}
