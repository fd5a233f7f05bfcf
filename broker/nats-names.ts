/** Names of logins at NATS, and what follows from them. Nothing here talks to a server. */

/** The namespace whose names have no prefix. */
const defaultNamespace = "ovation";

/** The prefix of JetStream's names in a namespace: config's `natsPrefix` for any namespace. */
export function streamPrefix(namespace: string): string {
  return namespace === defaultNamespace ? "" : `${namespace}_`;
}

/**
 * The user as which a service, a role or a person's console logs in; at JetStream as it is, at the bus with its ending
 * (`busUserOf`).
 */
export function natsUser(role: string, namespace: string, person?: string): string {
  const own = person === undefined ? role : `${role}-${person}`;
  return namespace === defaultNamespace ? own : `${namespace}.${own}`;
}

const busEnding = "-bus";

/** The user at the bus that belongs to a user: nats-server wants other names in each account. */
export function busUserOf(user: string): string {
  return user.endsWith(busEnding) ? user : user + busEnding;
}

/** The user that belongs to the provisioner's or the administrator's in the account of the mirror of EVENTS. */
export function mirrorUserOf(user: string): string {
  return `${user}-mirror`;
}

/** The provisioner's user in the account of other systems, which read the mirror. */
export function readersUserOf(user: string): string {
  return `${user}-readers`;
}

/**
 * The first token of a user's inboxes, a token of its own for each user: nobody else may subscribe to them. A dot would
 * make two tokens, and the inboxes of namespace `gift` would belong to service `gift` too.
 */
export function inboxPrefixOf(user: string): string {
  return `_INBOX_${user.replaceAll(".", "~")}`;
}

/** The user of the administrator in the server's own account, which shows its settings (mixins/preflight/read-nats.ts). */
export function systemUserOf(user: string): string {
  return `${user}-sys`;
}
