import { type ServiceName, serviceNames } from "../../broker/service-names.ts";
import { limits } from "../../config/limits.ts";
import { hasDatabase } from "../../scripts/databases.ts";
import { usesRedis } from "../../services/redis-access.ts";

/** What runs together in one process. Each place has two nodes, as if on two machines. */
export interface Place {
  /** The service, or `others`, or `all`. */
  readonly name: string;
  readonly services: readonly ServiceName[];
}

/** `each`: a process for each service. `path`: one for each on the path of gifts and payments. `all`: one for all. */
export const layouts = ["each", "path", "all"] as const;
export type Layout = (typeof layouts)[number];

const onPath: readonly ServiceName[] = [
  "api-gateway",
  "gift",
  "wallet",
  "payment",
  "im-router",
  "im-server",
  "living-room",
];

const alone = (name: ServiceName): Place => ({ name, services: [name] });

/** The places of a layout, with that of the provisioner first: the others wait for their streams. */
export function placesOf(layout: Layout): Place[] {
  if (layout === "all") return [{ name: "all", services: serviceNames }];
  if (layout === "each")
    return [alone("provisioner"), ...serviceNames.filter((name) => name !== "provisioner").map(alone)];
  return [{ name: "others", services: serviceNames.filter((name) => !onPath.includes(name)) }, ...onPath.map(alone)];
}

/** The longest lease that a node with the service holds, ms: in Redis, in the database, or by heartbeats. */
const leases: Readonly<Record<ServiceName, number>> = {
  "api-gateway": 0,
  "admin-gateway": 0,
  "im-router": limits.lock.ttlMs,
  "im-server": limits.im.presenceLeaseMs,
  "living-room": limits.attendance.leaseMs,
  archiver: limits.archive.leaseMs,
  auditor: limits.books.auditorLeaseMs,
  battle: limits.battle.leaseMs,
  gift: limits.gift.minutesLeaseMs,
  notification: limits.jetstream.catchUpLeaseMs,
  payment: limits.payment.maintenanceLeaseMs,
  platform: limits.platform.ordersLeaseMs,
  provisioner: 0,
  rank: limits.rank.maintenanceLeaseMs,
  staff: limits.staff.deadLetterLeaseMs,
  user: limits.user.purgeLeaseMs,
  wallet: limits.books.checkpointLeaseMs,
  webhook: limits.webhook.maintenanceLeaseMs,
};

/** Others forget a silent node within two of their looks. */
const forgottenMs = 2_000 * limits.rpc.heartbeatTimeoutS;
const marginMs = 2_000;

/** How long a node of the place is paused, ms: longer than any lease of its services. */
export function pauseOf({ services }: Place): number {
  return Math.max(forgottenMs, ...services.map((name) => leases[name])) + marginMs;
}

export type ServerKind = "nats" | "mysql" | "redis";

/** Whether any service of the place talks to servers of this kind. */
export function uses({ services }: Place, kind: ServerKind): boolean {
  if (kind === "nats") return true;
  return services.some((name) => (kind === "mysql" ? hasDatabase(name) : usesRedis(name)));
}
