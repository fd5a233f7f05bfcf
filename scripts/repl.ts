import { parseArgs } from "node:util";
import { ServiceBroker } from "moleculer";
import { brokerOptions } from "../broker/options.ts";
import { config } from "../config/config.ts";
import { useConsoleLogin } from "./console-login.ts";
import { requireNode } from "./node-version.ts";
import { customCommands } from "./repl/command.ts";
import { commands } from "./repl/commands.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/**
 * A person's console for the running system: a node without services, with the commands of moleculer-repl and of repl/.
 * It may call what services/access.ts gives consoles. `--as NAME` tells whose it is, where there are logins of several.
 */
async function main(): Promise<void> {
  requireNode();
  const { values } = parseArgs({ options: { as: { type: "string" } } });
  useStackEnv(defaultStackDir());
  const person = useConsoleLogin(defaultStackDir(), values.as);
  const broker = new ServiceBroker({
    ...brokerOptions({ role: "console", instance: person }),
    // People read this output: no JSON lines, and only warnings and errors.
    logger: { type: "Console", options: { level: "warn", formatter: "simple" } },
    replOptions: { delimiter: `${config().NAMESPACE} $`, customCommands: customCommands(commands) as never },
  });
  await broker.start();
  console.log(`Connected as ${broker.nodeID}. "help" lists the commands, "help NAME" explains one, Ctrl-D leaves.`);
  for (const { command, description } of commands) console.log(`  ${command.padEnd(24)} ${description}`);
  broker.repl();
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(1);
});
