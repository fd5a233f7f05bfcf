import { ServiceBroker } from "moleculer";
import { asInstance } from "../broker/bus/subjects.ts";
import { brokerOptions } from "../broker/options.ts";
import { config } from "../config/config.ts";
import { accountName } from "./account-name.ts";
import { requireNode } from "./node-version.ts";
import { customCommands } from "./repl/command.ts";
import { commands } from "./repl/commands.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/** A console for the running system: a node without services, with the commands of moleculer-repl and of repl/. */
async function main(): Promise<void> {
  requireNode();
  useStackEnv(defaultStackDir());
  const broker = new ServiceBroker({
    ...brokerOptions({ role: "console", instance: asInstance(accountName()) }),
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
