import { booksCommands } from "./books-commands.ts";
import type { ReplCommand } from "./command.ts";
import { order } from "./order-command.ts";
import { queue } from "./queue-command.ts";
import { roomCommands } from "./room-commands.ts";
import { staffCommands } from "./staff-commands.ts";
import { walletCommands } from "./wallet-commands.ts";

/** The commands for operators, in addition to those of moleculer-repl (nodes, services, call, ...). */
export const commands: readonly ReplCommand[] = [
  ...walletCommands,
  order,
  queue,
  ...roomCommands,
  ...booksCommands,
  ...staffCommands,
];
