import type { ServiceBroker } from "moleculer";
import { consoleName } from "../../broker/bus/subjects.ts";
import { failureName } from "../../broker/failure.ts";
import { failures } from "../../config/errors.ts";

/** A command of the console: its syntax, its line in the help, and what it does. */
export interface ReplCommand {
  /** In commander's syntax, e.g. `statement <userId> [n]`. */
  readonly command: string;
  readonly description: string;
  /** The arguments, by their names in `command`. */
  run(broker: ServiceBroker, args: Readonly<Record<string, string | undefined>>): Promise<string>;
}

/** An invalid input. Its message is shown, and nothing was called. */
export class TypedWrong extends Error {}

/** @throws TypedWrong */
export function userIdOf(text: string | undefined): string {
  if (!/^[1-9]\d{0,19}$/.test(text ?? "")) throw new TypedWrong(`a user id is a decimal number, not "${text ?? ""}"`);
  return text as string;
}

/** The name in audit rows of operators' actions; the callee takes it from the node id too. */
export const operatorName = ({ nodeID }: ServiceBroker): string => consoleName(nodeID);

/** The text for an error; a failure is shown by its name and text. */
export function errorText(error: unknown): string {
  if (error instanceof TypedWrong) return error.message;
  const name = failureName(error);
  const { type, message, data } = (error ?? {}) as { type?: string; message?: string; data?: { field?: unknown } };
  if (name === "invalidParam" && data?.field) return `${name}: ${failures[name].en} (${data.field})`;
  if (name !== undefined) return `${name}: ${failures[name].en}`;
  if (type === "SERVICE_NOT_FOUND" || type === "SERVICE_NOT_AVAILABLE")
    return `no node offers this now (${message}); "services" lists what there is`;
  if (type === "REQUEST_TIMEOUT") return `no answer in time (${message})`;
  return message ?? String(error);
}

/** The commands in moleculer-repl's format. */
export function customCommands(commands: readonly ReplCommand[], print: (text: string) => void = console.log) {
  return commands.map(({ command, description, run }) => ({
    command,
    description,
    async action(broker: ServiceBroker, args: object) {
      try {
        print(await run(broker, args as Record<string, string | undefined>));
      } catch (error) {
        print(errorText(error));
      }
    },
  }));
}
