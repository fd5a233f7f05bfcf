import { limits } from "../../config/limits.ts";
import { isServiceName, type ServiceName, serviceNames } from "../service-names.ts";

/**
 * A node's role says what it may do on the bus: the names of its services in the order of `serviceNames`, joined by
 * `+`. `all` is every service, `console` is a person's console, which has none.
 */

/** Who may call an action: a service, or a person at a console. */
export type Caller = ServiceName | "console";

const all = "all";

/** The role of a node with these services. @throws Error where there is none. */
export function roleOf(services: readonly ServiceName[]): string {
  const own = serviceNames.filter((name) => services.includes(name));
  if (own.length === 0) throw new Error("a node without a service has no role");
  return own.length === serviceNames.length ? all : own.join("+");
}

const known = new Map<string, ReadonlySet<Caller> | undefined>();

/** A service of another release has a name of this form: in a role of several it gives no right here. */
const servicePattern = /^[a-z][a-z-]{0,29}$/;

function readMembers(role: string): ReadonlySet<Caller> | undefined {
  const members = new Set<Caller>();
  for (const name of role.split("+")) {
    if (name === all) for (const service of serviceNames) members.add(service);
    else if (name === "console" || isServiceName(name)) members.add(name);
    else if (!servicePattern.test(name)) return undefined;
  }
  return members.size > 0 ? members : undefined;
}

/**
 * The services of a role, and `console` where it is one, without those that this release does not know; `undefined`
 * where none is left, or it is no role.
 */
export function membersOf(role: string): ReadonlySet<Caller> | undefined {
  const before = known.get(role);
  if (before || known.has(role)) return before;
  const members = readMembers(role);
  if (known.size < limits.bus.knownRoles) known.set(role, members);
  return members;
}

/** Whether every part of a role is known here: for who gives rights to a role. */
export function isOwnRole(role: string): boolean {
  return (
    membersOf(role) !== undefined &&
    role.split("+").every((name) => ["all", "console"].includes(name) || isServiceName(name))
  );
}
