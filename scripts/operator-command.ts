import { parseArgs } from "node:util";
import { type StaffRole, staffRole } from "../services/staff-roles.ts";

/** The arguments of `npm run operator`. */

const roles = staffRole.options;

export const operatorUsage = `Persons of the staff (docs/staff.md), and who may join the bus with a console (npm run repl, npm run reconcile).

  npm run operator -- add NAME --role ROLE   invites a person: prints the setup code, with which they enrol within a day
  npm run operator -- role NAME ROLE         another role, in force at once
  npm run operator -- reset NAME             takes password and app away, ends the sessions, prints a new setup code
  npm run operator -- disable NAME           ends the sessions; nobody logs in as NAME any more
  npm run operator -- enable NAME
  npm run operator -- list                   persons, and who has a console login at the private server

  npm run operator -- add NAME               a console login for NAME; printed for nats-server's configuration where the
                                             server is not this checkout's private one
  npm run operator -- remove NAME            takes the console login away, and ends NAME's console

ROLE is ${roles.slice(0, -1).join(", ")} or ${roles.at(-1)}. NAME is 1 to 40 of a-z, 0-9 and -.
Commands about persons join the bus as the console of --as NAME, or of CONSOLE_NAME. At this checkout's private server they
make a console login for themselves where neither is given. The name stands in the audit.
Exit code 0: done; 1: it could not be done; 2: not understood.`;

export type OperatorOrder =
  | { what: "help" }
  | { what: "list" }
  | { what: "addConsole"; name: string }
  | { what: "removeConsole"; name: string }
  | { what: "addPerson" | "role"; name: string; role: StaffRole }
  | { what: "reset" | "disable" | "enable"; name: string };

/** The arguments are not understood: the message has the problem and the usage. */
export class NotUnderstood extends Error {
  constructor(what: string) {
    super(`${what}\n\n${operatorUsage}`);
  }
}

function roleOf(text: string | undefined): StaffRole {
  const role = roles.find((one) => one === text);
  if (!role) throw new NotUnderstood(`no such role: ${text ?? ""}`);
  return role;
}

function nameOf(text: string | undefined): string {
  if (!/^[a-z0-9-]{1,40}$/.test(text ?? ""))
    throw new NotUnderstood(`a name is 1 to 40 of a-z, 0-9 and -, not "${text ?? ""}"`);
  return text as string;
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { role: { type: "string" }, as: { type: "string" }, help: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new NotUnderstood((error as Error).message);
  }
}

/** The most arguments of a command, where it is not one. */
const argumentsOf: ReadonlyMap<string, number> = new Map([
  ["list", 0],
  ["role", 2],
]);

/** `as`: whose console. @throws NotUnderstood */
export function operatorOrder(args: readonly string[]): { as: string | undefined; order: OperatorOrder } {
  const { values, positionals } = read(args);
  const { as, role } = values;
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) return { as, order: { what: "help" } };
  if (role !== undefined && command !== "add") throw new NotUnderstood("--role is for add");
  if (rest.length > (argumentsOf.get(command) ?? 1)) throw new NotUnderstood("too many arguments");
  const [name, given] = rest;
  switch (command) {
    case "list":
      return { as, order: { what: "list" } };
    case "add":
      if (role === undefined) return { as, order: { what: "addConsole", name: nameOf(name) } };
      return { as, order: { what: "addPerson", name: nameOf(name), role: roleOf(role) } };
    case "remove":
      return { as, order: { what: "removeConsole", name: nameOf(name) } };
    case "role":
      return { as, order: { what: "role", name: nameOf(name), role: roleOf(given) } };
    case "reset":
    case "disable":
    case "enable":
      return { as, order: { what: command, name: nameOf(name) } };
    default:
      throw new NotUnderstood(`not understood: ${command}`);
  }
}
