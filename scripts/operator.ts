import { randomBytes } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { busPermissions } from "../broker/bus/permissions.ts";
import { consoleName } from "../broker/bus/subjects.ts";
import { withLogin } from "../config/server-urls.ts";
import { call } from "../services/contracts.ts";
import type { SetupCode } from "../services/staff/staff.contract.ts";
import { consolesOf, forgetConsole, keepConsole, personOf } from "./console-login.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { NotUnderstood, type OperatorOrder, operatorOrder, operatorUsage } from "./operator-command.ts";
import { runCommand } from "./outcome.ts";
import { errorText } from "./repl/command.ts";
import { table } from "./repl/table.ts";
import { readStackEnv } from "./stack/env-file.ts";
import { ensureNatsLogin, removeNatsLogin } from "./stack/nats-logins.ts";
import { defaultStackDir } from "./stack/sites.ts";

const role = "console";

/** What the staff service does. */
type PersonOrder = Exclude<OperatorOrder, { what: "help" | "addConsole" | "removeConsole" }>;

/** Whether NATS is the private server of this checkout. */
function isPrivate(stackDir: string): boolean {
  return !process.env.NATS_URL && process.env.PROFILE !== "production" && readStackEnv(stackDir).NATS_URL !== undefined;
}

/** The user of a person's console at the bus. */
function userOf(namespace: string, person: string): string {
  const user = `${role}-${person}-bus`;
  return namespace === "ovation" ? user : `${namespace}.${user}`;
}

/** What to put into the configuration of a server that this program does not run. */
function forServer(namespace: string, person: string): string {
  const { publish, subscribe } = busPermissions(role, namespace, person);
  const [user, password] = [userOf(namespace, person), randomBytes(24).toString("hex")];
  const list = (subjects: readonly string[]) =>
    subjects.map((subject) => `        ${JSON.stringify(subject)}`).join(",\n");
  const url = withLogin(process.env.NATS_URL || "nats://HOST:4222", { username: user, password });
  return `Put this user into the account of the bus (BUS) in nats-server's configuration, and reload the server:

  {
    user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)},
    permissions: {
      publish: {allow: [
${list(publish)}
      ]},
      subscribe: {allow: [
${list(subscribe)}
      ]}
    }
  }

and give these settings to ${person} alone:

  CONSOLE_NAME=${person}
  CONSOLE_URL=${url}`;
}

async function add(stackDir: string, namespace: string, person: string): Promise<void> {
  if (!isPrivate(stackDir)) return console.log(forServer(namespace, person));
  const { busUrl } = await ensureNatsLogin(stackDir, { namespace, role, person });
  const file = keepConsole(stackDir, namespace, person, busUrl);
  console.log(`${person} may join: npm run repl -- --as ${person}\nThe login is in ${file}.`);
}

async function remove(stackDir: string, namespace: string, person: string): Promise<void> {
  if (!isPrivate(stackDir))
    return console.log(`Remove the user ${userOf(namespace, person)} from nats-server's configuration.`);
  await removeNatsLogin(stackDir, { namespace, role, person });
  forgetConsole(stackDir, namespace, person);
  console.log(`${person} has no login any more`);
}

/** The work of a console login that is made for this command and taken away after it. */
async function withOwnLogin<T>(stackDir: string, namespace: string, work: () => Promise<T>): Promise<T> {
  const login = { namespace, role, person: `operator-${randomBytes(4).toString("hex")}` };
  const { busUrl } = await ensureNatsLogin(stackDir, login);
  Object.assign(process.env, { CONSOLE_NAME: login.person, CONSOLE_URL: busUrl });
  try {
    return await work();
  } finally {
    await removeNatsLogin(stackDir, login);
  }
}

/** Where browsers reach the staff page, as far as this process knows. */
function pageUrl(stackDir: string): string {
  const url = process.env.ADMIN_URL || readStackEnv(stackDir).ADMIN_URL || "http://127.0.0.1:8098";
  return new URL("/admin/", url).href;
}

function sayCode(stackDir: string, name: string, { setupCode, expiresTime }: SetupCode): void {
  console.error(
    `${name} enrols at ${pageUrl(stackDir)} with this setup code, valid until ${expiresTime}. It is shown this once:`,
  );
  console.log(setupCode);
}

async function showPersons(broker: ServiceBroker, operator: string): Promise<void> {
  const { list } = await call(broker, "staff.persons", { operator });
  const rows = list.map((one) => [one.name, one.role, one.state, one.lastLoginTime ?? "never", one.sessions]);
  console.log(rows.length === 0 ? "there are no persons of the staff" : table(personColumns, rows));
}

const personColumns = ["person", "role", "state", "last login", "sessions"];

/** Calls the running system, as a console. */
async function carryOut(broker: ServiceBroker, stackDir: string, order: PersonOrder): Promise<void> {
  const operator = consoleName(broker.nodeID);
  if (order.what === "list") return showPersons(broker, operator);
  const { name } = order;
  if (order.what === "addPerson") {
    sayCode(stackDir, name, await call(broker, "staff.addPerson", { name, role: order.role, operator }));
  } else if (order.what === "role") {
    await call(broker, "staff.setRole", { name, role: order.role, operator });
    console.log(`${name} has the role ${order.role}, from the next call on`);
  } else if (order.what === "reset") {
    sayCode(stackDir, name, await call(broker, "staff.resetPerson", { name, operator }));
  } else if (order.what === "disable") {
    await call(broker, "staff.disablePerson", { name, operator });
    console.log(`${name} is disabled and has no session any more. Undo: npm run operator -- enable ${name}`);
  } else {
    await call(broker, "staff.enablePerson", { name, operator });
    console.log(`${name} is enabled`);
  }
}

async function atConsole(
  place: { stackDir: string; namespace: string; as: string | undefined },
  order: PersonOrder,
): Promise<void> {
  const { stackDir, namespace, as } = place;
  const work = () => fromConsole({ as, services: ["staff"] }, (broker) => carryOut(broker, stackDir, order));
  const ownLogin = as === undefined && !process.env.CONSOLE_URL && isPrivate(stackDir);
  try {
    await (ownLogin ? withOwnLogin(stackDir, namespace, work) : work());
  } catch (error) {
    throw new Error(errorText(error), { cause: error });
  }
}

async function main(): Promise<number> {
  requireNode();
  const [stackDir, namespace] = [defaultStackDir(), process.env.NAMESPACE || "ovation"];
  try {
    const { as, order } = operatorOrder(process.argv.slice(2));
    if (order.what === "help") console.log(operatorUsage);
    else if (order.what === "addConsole") await add(stackDir, namespace, personOf(order.name));
    else if (order.what === "removeConsole") await remove(stackDir, namespace, personOf(order.name));
    else {
      if (order.what === "list" && isPrivate(stackDir)) {
        const names = consolesOf(stackDir, namespace);
        console.log(`console logins: ${names.length === 0 ? "none" : names.join(", ")}\n`);
      }
      await atConsole({ stackDir, namespace, as }, order);
    }
    return order.what === "help" && !process.argv.includes("--help") ? 2 : 0;
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    console.error(error.message);
    return 2;
  }
}

runCommand(main);
