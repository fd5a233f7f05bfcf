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
] as const;
export type ServiceName = (typeof serviceNames)[number];

export function isServiceName(name: string): name is ServiceName {
  return (serviceNames as readonly string[]).includes(name);
}
