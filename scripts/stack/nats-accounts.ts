import { busPermissions } from "../../broker/bus/permissions.ts";
import { busUserOf, natsUser } from "../../broker/nats-names.ts";
import { serviceNames } from "../../broker/service-names.ts";
import { streamAccess } from "../../services/stream-access.ts";
import {
  eventReaderPermissions,
  type Permissions,
  provisionerPermissions,
  servicePermissions,
} from "../../services/stream-permissions.ts";

/** The accounts and users of a NATS server, as text for its configuration. Pure. */

/** Who logs in. */
export interface Login {
  /**
   * `admin`: everything in both accounts, in every namespace; `events`: a reader of stream EVENTS; a service; the
   * services of a node of many, joined by `+`, or `all`; `console`.
   */
  readonly role: string;
  readonly namespace: string;
  /** Of a console: whose it is, the instance of its node id. */
  readonly person?: string;
}

/** A user of one account; without permissions it may do everything there. */
export interface NatsUser {
  readonly account: "BUS" | "JS";
  readonly user: string;
  readonly permissions?: Permissions;
}

export const adminLogin: Login = { role: "admin", namespace: "ovation" };

const isService = (role: string): role is keyof typeof streamAccess => Object.hasOwn(streamAccess, role);

/** The services of a role, in their order; none for the others. */
export function servicesOfRole(role: string): string[] {
  const wanted = role === "all" ? serviceNames : role.split("+");
  return serviceNames.filter((name) => wanted.includes(name));
}

/** The user by which a login is known; at the bus it has its ending. */
export function userOf({ role, namespace, person }: Login): string {
  return natsUser(role, namespace, person);
}

/**
 * The users of a login. A service has one in each account, with one password; a node of many services has one at the
 * bus alone, and at JetStream those of its services.
 */
export function usersOf(login: Login): NatsUser[] {
  const { role, namespace, person } = login;
  const user = userOf(login);
  if (role === "admin")
    return [
      { account: "JS", user },
      { account: "BUS", user: busUserOf(user) },
    ];
  if (role === "events") return [{ account: "JS", user, permissions: eventReaderPermissions(namespace) }];
  const { publish, subscribe } = busPermissions(role, namespace, person);
  const atBus: NatsUser = {
    account: "BUS",
    user: busUserOf(user),
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  };
  if (role === "provisioner") return [{ account: "JS", user, permissions: provisionerPermissions(namespace) }, atBus];
  return isService(role) ? [{ account: "JS", user, permissions: servicePermissions(role, namespace) }, atBus] : [atBus];
}

const list = (subjects: readonly string[]) => `[${subjects.map((subject) => JSON.stringify(subject)).join(", ")}]`;

function permissionsText({ publish: { allow, deny }, subscribe }: Permissions): string {
  const denied = deny && deny.length > 0 ? `, deny: ${list(deny)}` : "";
  return `, permissions: {publish: {allow: ${list(allow)}${denied}}, subscribe: {allow: ${list(subscribe.allow)}}}`;
}

/**
 * The block `accounts` of a server's configuration: Moleculer's bus and JetStream are apart, since whoever pulls from a
 * stream chooses where its messages go. `password` gives the value of each login's, quoted, or as a $VARIABLE.
 */
export function accountsText<L extends Login>(logins: readonly L[], password: (login: L) => string): string {
  const users = (account: NatsUser["account"]) =>
    logins.flatMap((login) =>
      usersOf(login)
        .filter((one) => one.account === account)
        .map(({ user, permissions }) => {
          const rights = permissions ? permissionsText(permissions) : "";
          return `      {user: ${JSON.stringify(user)}, password: ${password(login)}${rights}}`;
        }),
    );
  return `accounts {
  BUS {
    users: [
${users("BUS").join("\n")}
    ]
  }
  JS {
    jetstream: enabled
    users: [
${users("JS").join("\n")}
    ]
  }
}
`;
}
