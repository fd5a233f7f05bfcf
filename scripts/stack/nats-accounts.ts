import { busPermissions } from "../../broker/bus/permissions.ts";
import { busUserOf, natsUser } from "../../broker/nats-names.ts";
import { serviceNames } from "../../broker/service-names.ts";
import { streamAccess } from "../../services/stream-access.ts";
import {
  eventReaderPermissions,
  type Permissions,
  provisionerPermissions,
  servicePermissions,
  streamExports,
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

/**
 * A user of one account; without permissions it may do everything there. `own`: the account of this user alone, without
 * streams. It imports from JS the subjects that the user may publish.
 */
export interface NatsUser {
  readonly account: "BUS" | "JS" | "own";
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
  if (role === "events") return [{ account: "own", user, permissions: eventReaderPermissions(namespace) }];
  const { publish, subscribe } = busPermissions(role, namespace, person);
  const atBus: NatsUser = {
    account: "BUS",
    user: busUserOf(user),
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  };
  if (role === "provisioner") return [{ account: "JS", user, permissions: provisionerPermissions(namespace) }, atBus];
  return isService(role)
    ? [{ account: "own", user, permissions: servicePermissions(role, namespace) }, atBus]
    : [atBus];
}

const list = (subjects: readonly string[]) => `[${subjects.map((subject) => JSON.stringify(subject)).join(", ")}]`;

function permissionsText({ publish, subscribe }: Permissions): string {
  return `, permissions: {publish: {allow: ${list(publish.allow)}}, subscribe: {allow: ${list(subscribe.allow)}}}`;
}

interface UserLine extends NatsUser {
  readonly line: string;
}

/** An account of one user: what it publishes goes to JS by imports, and answers come back to it. */
function ownAccount({ user, permissions, line }: UserLine): string {
  const imports = (permissions?.publish.allow ?? []).map(
    (subject) => `      {service: {account: JS, subject: ${JSON.stringify(subject)}}}`,
  );
  return `  ${JSON.stringify(`JS-${user}`)} {
    users: [
${line}
    ]
    imports: [
${imports.join("\n")}
    ]
  }
`;
}

/**
 * The block `accounts` of a server's configuration. Moleculer's bus and JetStream are apart, and each login of a
 * service is apart from the streams, since whoever pulls from a stream chooses the reply subject, and the server
 * answers with its own rights. `password` gives the value of each login's, quoted, or as a $VARIABLE.
 */
export function accountsText<L extends Login>(logins: readonly L[], password: (login: L) => string): string {
  const users: UserLine[] = logins.flatMap((login) =>
    usersOf(login).map((one) => {
      const rights = one.permissions ? permissionsText(one.permissions) : "";
      const line = `      {user: ${JSON.stringify(one.user)}, password: ${password(login)}${rights}}`;
      return { ...one, line };
    }),
  );
  const of = (account: NatsUser["account"]) => users.filter((one) => one.account === account);
  const lines = (account: NatsUser["account"]) =>
    of(account)
      .map(({ line }) => line)
      .join("\n");
  const exported = streamExports(logins.map(({ namespace }) => namespace)).map(
    ({ subject, streams }) => `      {service: ${JSON.stringify(subject)}${streams ? ", response_type: stream" : ""}}`,
  );
  return `accounts {
  BUS {
    users: [
${lines("BUS")}
    ]
  }
  JS {
    jetstream: enabled
    users: [
${lines("JS")}
    ]
    exports: [
${exported.join("\n")}
    ]
  }
${of("own").map(ownAccount).join("")}}
`;
}
