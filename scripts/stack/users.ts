import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, replaceFile } from "./files.ts";
import { isAlive, ownIdentity, type ProcessIdentity } from "./processes.ts";

/**
 * The users of a stack folder's servers, which end with their last user. Call these functions with the stack's lock
 * held.
 */

/** A process that uses the servers until it dies or removes itself; or the command line, which stays. */
export interface StackUser extends ProcessIdentity {
  id: string;
  permanent: boolean;
}

/** The present users: permanent ones and live processes. */
export function stackUsers(dir: string): StackUser[] {
  const text = readIfThere(usersFile(dir));
  const all: StackUser[] = text === undefined ? [] : JSON.parse(text);
  return all.filter((user) => user.permanent || isAlive(user));
}

/** Adds this process, or the command line as the one permanent user, and returns the entry's id. */
export function addUser(dir: string, permanent: boolean): string {
  const others = stackUsers(dir).filter((user) => !(permanent && user.permanent));
  const user = { id: randomUUID(), permanent, ...ownIdentity() };
  save(dir, [...others, user]);
  return user.id;
}

/** Removes the matching users and returns the others. */
export function removeUsers(dir: string, matches: (user: StackUser) => boolean): StackUser[] {
  const left = stackUsers(dir).filter((user) => !matches(user));
  save(dir, left);
  return left;
}

function save(dir: string, users: StackUser[]): void {
  if (users.length === 0) rmSync(usersFile(dir), { force: true });
  else replaceFile(usersFile(dir), `${JSON.stringify(users, null, 2)}\n`);
}

function usersFile(dir: string): string {
  return join(dir, "users.json");
}
