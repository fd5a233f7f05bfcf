import { randomBytes } from "node:crypto";
import { busPermissions } from "../broker/bus/permissions.ts";
import { consolesOf, forgetConsole, keepConsole, personOf } from "./console-login.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { readStackEnv } from "./stack/env-file.ts";
import { ensureNatsLogin, removeNatsLogin } from "./stack/nats-logins.ts";
import { defaultStackDir } from "./stack/sites.ts";

const USAGE = `Who may join the bus with a console (npm run repl, npm run reconcile), each in their own name.

  npm run operator -- add NAME       a login for NAME; printed for nats-server's configuration where the server is not
                                     this checkout's private one
  npm run operator -- list           who has a login at the private server
  npm run operator -- remove NAME    takes it away, and ends NAME's console

NAME is 1 to 40 of a-z, 0-9 and -. The name stands in the audit rows of what the console does.`;

const role = "console";

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
  const host = process.env.NATS_URL ? new URL(process.env.NATS_URL).host : "HOST:4222";
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
  CONSOLE_URL=nats://${encodeURIComponent(user)}:${password}@${host}`;
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

function list(stackDir: string, namespace: string): void {
  const names = consolesOf(stackDir, namespace);
  console.log(names.length === 0 ? "nobody has a login" : names.join("\n"));
}

async function main(): Promise<number> {
  requireNode();
  const [stackDir, namespace] = [defaultStackDir(), process.env.NAMESPACE || "ovation"];
  const [command, name, ...rest] = process.argv.slice(2);
  if (command === "list" && name === undefined) list(stackDir, namespace);
  else if (command === "add" && rest.length === 0) await add(stackDir, namespace, personOf(name));
  else if (command === "remove" && rest.length === 0) await remove(stackDir, namespace, personOf(name));
  else {
    console.error(USAGE);
    return 2;
  }
  return 0;
}

runCommand(main);
