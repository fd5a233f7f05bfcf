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

function readMembers(role: string): ReadonlySet<Caller> | undefined {
  const members = new Set<Caller>();
  for (const name of role.split("+")) {
    if (name === all) for (const service of serviceNames) members.add(service);
    else if (name === "console" || isServiceName(name)) members.add(name);
    else return undefined;
  }
  return members;
}

/** The services of a role, and `console` where it is one; `undefined` where it is no role. */
export function membersOf(role: string): ReadonlySet<Caller> | undefined {
  const before = known.get(role);
  if (before || known.has(role)) return before;
  const members = readMembers(role);
  if (known.size < limits.bus.knownRoles) known.set(role, members);
  return members;
}
