import type { ReplCommand } from "./command.ts";
import { order } from "./order-command.ts";
import { queue } from "./queue-command.ts";
import { roomCommands } from "./room-commands.ts";
import { walletCommands } from "./wallet-commands.ts";

/** What an operator wants to know, beside what moleculer-repl has anyway (nodes, services, call, ...). */
export const commands: readonly ReplCommand[] = [...walletCommands, order, queue, ...roomCommands];
