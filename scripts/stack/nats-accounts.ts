import { busPermissions } from "../../broker/bus/permissions.ts";
import { busUserOf, mirrorUserOf, natsUser, readersUserOf, systemUserOf } from "../../broker/nats-names.ts";
import { serviceNames } from "../../broker/service-names.ts";
import {
  eventReaderImports,
  eventReaderPermissions,
  type Import,
  mirrorAccount,
  mirrorExports,
  mirrorImports,
  mirrorKeeperPermissions,
  readersAccount,
  requestAnswererPermissions,
  sourceExports,
} from "../../services/event-readers.ts";
import { streamAccess } from "../../services/stream-access.ts";
import {
  type Exported,
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
 * streams. `mirror`, `readers`: those of a namespace's mirror of EVENTS, and of the systems that read it. `system`: the
 * server's own, in which it tells about itself.
 */
export interface NatsUser {
  readonly account: "BUS" | "JS" | "own" | "mirror" | "readers" | "system";
  readonly user: string;
  readonly permissions?: Permissions;
  /** What its own account takes of others. */
  readonly imports?: readonly Import[];
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
      { account: "system", user: systemUserOf(user) },
    ];
  if (role === "events") return [{ account: "readers", user, permissions: eventReaderPermissions(namespace) }];
  const { publish, subscribe } = busPermissions(role, namespace, person);
  const atBus: NatsUser = {
    account: "BUS",
    user: busUserOf(user),
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  };
  if (role === "provisioner") {
    const keeper = mirrorUserOf(user);
    return [
      { account: "JS", user, permissions: provisionerPermissions(namespace) },
      { account: "mirror", user: keeper, permissions: mirrorKeeperPermissions(keeper, namespace) },
      { account: "readers", user: readersUserOf(user), permissions: requestAnswererPermissions(namespace) },
      atBus,
    ];
  }
  if (!isService(role)) return [atBus];
  const permissions = servicePermissions(role, namespace);
  const imports = permissions.publish.allow.map((subject) => ({ kind: "service", account: "JS", subject }) as const);
  return [{ account: "own", user, permissions, imports }, atBus];
}

const list = (texts: readonly string[]) => `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;

function permissionsText({ publish, subscribe, answers }: Permissions): string {
  const rights = `publish: {allow: ${list(publish.allow)}}, subscribe: {allow: ${list(subscribe.allow)}}`;
  return `, permissions: {${rights}${answers ? ", allow_responses: true" : ""}}`;
}

function exportText({ subject, kind, streams, accounts }: Exported): string {
  const answers = streams ? ", response_type: stream" : "";
  return `{${kind ?? "service"}: ${JSON.stringify(subject)}${answers}${accounts ? `, accounts: ${list(accounts)}` : ""}}`;
}

function importText({ kind, account, subject, to }: Import): string {
  const from = `{account: ${JSON.stringify(account)}, subject: ${JSON.stringify(subject)}}`;
  return `{${kind}: ${from}${to === undefined ? "" : `, to: ${JSON.stringify(to)}`}}`;
}

interface AccountParts {
  readonly jetstream?: true;
  /** Each a line. */
  readonly users: readonly string[];
  readonly imports?: readonly Import[];
  readonly exports?: readonly Exported[];
}

function accountText(name: string, { jetstream, users, imports = [], exports = [] }: AccountParts): string {
  const block = (what: string, lines: readonly string[]) =>
    lines.length === 0 ? "" : `    ${what}: [\n${lines.map((line) => `      ${line}\n`).join("")}    ]\n`;
  const parts = [
    block("users", users),
    block("imports", imports.map(importText)),
    block("exports", exports.map(exportText)),
  ];
  return `  ${/^[A-Z]+$/.test(name) ? name : JSON.stringify(name)} {\n${jetstream ? "    jetstream: enabled\n" : ""}${parts.join("")}  }\n`;
}

/**
 * The block `accounts` of a server's configuration. Moleculer's bus and JetStream are apart, and each login of a
 * service is apart from the streams, since whoever pulls from a stream chooses the reply subject, and the server
 * answers with its own rights. `password` gives the value of each login's, quoted, or as a $VARIABLE.
 */
export function accountsText<L extends Login>(logins: readonly L[], password: (login: L) => string): string {
  const line = (login: L, user: string, permissions?: Permissions) =>
    `{user: ${JSON.stringify(user)}, password: ${password(login)}${permissions ? permissionsText(permissions) : ""}}`;
  const users = logins.flatMap((login) =>
    usersOf(login).map((one) => ({ ...one, namespace: login.namespace, line: line(login, one.user, one.permissions) })),
  );
  const lines = (account: NatsUser["account"], of?: string) =>
    users.filter((one) => one.account === account && (of ?? one.namespace) === one.namespace).map((one) => one.line);
  const namespaces = [...new Set(logins.map(({ namespace }) => namespace))];
  const mirrored = namespaces.filter((namespace) =>
    logins.some((login) => login.namespace === namespace && (login.role === "provisioner" || login.role === "events")),
  );
  const admins = (namespace: string) =>
    logins
      .filter(({ role }) => role === adminLogin.role)
      .map((login) => line(login, mirrorUserOf(natsUser(login.role, namespace))));
  const offered = [...streamExports(namespaces), ...mirrored.flatMap(sourceExports)];
  const accounts = [
    accountText("$SYS", { users: lines("system") }),
    accountText("BUS", { users: lines("BUS") }),
    accountText("JS", { jetstream: true, users: lines("JS"), exports: offered }),
    ...mirrored.flatMap((namespace) => {
      const keepers = [...lines("mirror", namespace), ...admins(namespace)];
      const [imports, exports] = [mirrorImports(namespace), mirrorExports(namespace)];
      const readers = { users: lines("readers", namespace), imports: eventReaderImports(namespace) };
      return [
        accountText(mirrorAccount(namespace), { jetstream: true, users: keepers, imports, exports }),
        accountText(readersAccount(namespace), readers),
      ];
    }),
    ...users
      .filter(({ account }) => account === "own")
      .map((one) => accountText(`JS-${one.user}`, { users: [one.line], imports: one.imports ?? [] })),
  ];
  return `accounts {\n${accounts.join("")}}\n`;
}
