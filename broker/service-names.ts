/** The services, in the order in which a reader meets them. */
export const serviceNames = [
  "api-gateway",
  "user",
  "living-room",
  "gift",
  "wallet",
  "payment",
  "im-router",
  "im-server",
  "notification",
  "auditor",
  "provisioner",
  "battle",
  "rank",
  "platform",
  "webhook",
  "staff",
  "admin-gateway",
  "archiver",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The services that requests do not need: the system is ready while they are away. */
export const backgroundServices: ReadonlySet<ServiceName> = new Set([
  ...(["provisioner", "auditor", "battle", "rank", "platform", "webhook", "staff", "admin-gateway"] as const),
  "archiver",
]);

export function isServiceName(name: string): name is ServiceName {
  return (serviceNames as readonly string[]).includes(name);
}
