import type { ServiceName } from "../broker/service-names.ts";

/**
 * What a service's login at Redis may do: with keys of its own alone, and no command that shows or changes those of
 * others. Nobody who takes over one service reads the login codes, orders or locks of another. im-router and im-server
 * share the keys of the rooms (im-keys.ts, im-tokens.ts).
 */

interface RedisAccess {
  /** Patterns of the keys, without the namespace's prefix. */
  readonly keys: readonly string[];
  /** Commands beyond the usual ones. */
  readonly commands?: readonly string[];
}

const lock = (service: ServiceName) => `lock:${service}:*`;
const rate = (service: ServiceName) => `rate:${service}:*`;

/** By service. A service that is not here does not use Redis. A test compares the table with the services. */
export const redisAccess: { readonly [S in ServiceName]?: RedisAccess } = {
  "api-gateway": { keys: [rate("api-gateway")] },
  "admin-gateway": { keys: [rate("admin-gateway")] },
  user: { keys: ["user:*"] },
  "living-room": { keys: [rate("living-room")] },
  // By SCAN it finds the orders that wait after a loss of the queue. It shows the names of all keys, which say nothing of a
  // person (user/login-codes.ts).
  gift: { keys: ["gift:*", lock("gift")], commands: ["+scan"] },
  wallet: { keys: [lock("wallet")] },
  "im-router": { keys: ["im:*"] },
  "im-server": { keys: ["im:*"] },
  webhook: { keys: [lock("webhook")] },
};

/** The services with a login at Redis. */
export const redisServices = Object.keys(redisAccess) as (keyof typeof redisAccess)[];

export function usesRedis(service: string): boolean {
  return Object.hasOwn(redisAccess, service);
}

/** Reads and writes of keys, scripts that make them, and what a client asks while it connects and is probed. */
const usualCommands = [
  ...["-@all", "+@read", "+@write", "+@connection", "-@admin", "-@dangerous", "-@blocking"],
  // These show the keys of others, or load code that stays. CLIENT TRACKING is told every key that changes; the client
  // of the product uses CLIENT for the name of its connection alone.
  ...["-scan", "-randomkey", "-dbsize", "-function", "-client", "+client|setname"],
  ...["+eval", "+info", "+time", "+ping"],
];

/**
 * The rules of a service's login for `ACL SETUSER`, without its password. Keys have the namespace's prefix; no channels.
 * @throws Error where the service has no login
 */
export function redisRules(service: string, namespace: string): string[] {
  const access = redisAccess[service as ServiceName];
  if (!access) throw new Error(`the service ${service} does not use Redis`);
  const keys = [`health:${service}:*`, ...access.keys];
  return ["resetchannels", ...keys.map((key) => `~${namespace}:${key}`), ...usualCommands, ...(access.commands ?? [])];
}
