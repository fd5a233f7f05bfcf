import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "./stack/files.ts";

/**
 * Persons' logins for the console: a person joins the bus in their own name (`console.<name>`), which nats-server ties
 * to the login. The name stands in the audit rows of what the console does.
 */

/** The users at the bus end with `-bus`: a name with that ending would have the user of another person. */
const namePattern = /^(?!.*-bus$)[a-z][a-z0-9-]{0,39}$/;

/** @throws Error where a text cannot be a person's name on the bus */
export function personOf(text: string | undefined): string {
  if (!namePattern.test(text ?? ""))
    throw new Error(
      `a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -bus, not "${text ?? ""}"`,
    );
  return text as string;
}

const folderOf = (stackDir: string) => join(stackDir, "consoles");
const fileOf = (stackDir: string, namespace: string, name: string) => join(folderOf(stackDir), `${namespace}.${name}`);

/** The names of those who have a login for a namespace at the private server. */
export function consolesOf(stackDir: string, namespace: string): string[] {
  mkdirSync(folderOf(stackDir), { recursive: true, mode: 0o700 });
  const [prefix, files] = [`${namespace}.`, readdirSync(folderOf(stackDir))];
  const names = files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length));
  return names.filter((name) => namePattern.test(name)).sort();
}

/** Writes the URL of a person's login to a file that only its owner can read. Returns the file. */
export function keepConsole(stackDir: string, namespace: string, name: string, url: string): string {
  mkdirSync(folderOf(stackDir), { recursive: true, mode: 0o700 });
  const file = fileOf(stackDir, namespace, name);
  replaceFile(file, `${url}\n`);
  return file;
}

export function forgetConsole(stackDir: string, namespace: string, name: string): void {
  rmSync(fileOf(stackDir, namespace, name), { force: true });
}

const howToGetOne = `A console joins the bus with a person's own login, and there is none here. In this checkout's private stack:

  npm run operator -- add NAME

Elsewhere set CONSOLE_NAME and CONSOLE_URL, which that command prints too.`;

/**
 * Makes the person's login that of this process (NATS_URL), and returns the person's name. The login is CONSOLE_URL
 * with CONSOLE_NAME, or a file of the private stack: that of `as`, or the only one. @throws Error that says how to get
 * one
 */
export function useConsoleLogin(stackDir: string, as: string | undefined, env = process.env): string {
  if (env.CONSOLE_URL) {
    const name = personOf(as ?? env.CONSOLE_NAME);
    env.NATS_URL = env.CONSOLE_URL;
    return name;
  }
  const namespace = env.NAMESPACE || "ovation";
  const there = consolesOf(stackDir, namespace);
  if (there.length === 0) throw new Error(howToGetOne);
  if (as === undefined && there.length > 1)
    throw new Error(`whose console? There are logins of ${there.join(", ")}: give --as NAME`);
  const name = personOf(as ?? there[0]);
  const url = readIfThere(fileOf(stackDir, namespace, name))?.trim();
  if (!url) throw new Error(`${name} has no login here: npm run operator -- add ${name}`);
  env.NATS_URL = url;
  return name;
}
