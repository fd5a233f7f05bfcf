import type { ServiceBroker } from "moleculer";
import adminGateway from "../../../services/admin-gateway/admin-gateway.service.ts";
import type { AdminGateway } from "../../../services/admin-gateway/gateway.ts";
import type { StaffRole } from "../../../services/staff-roles.ts";
import { csrfOf, sessionOf } from "../../support/fake-staff.ts";
import { startNode } from "../../support/system.ts";
import { neighbourNames } from "../api-gateway/neighbours.ts";

/** Starts an admin-gateway that sees the neighbours; resolves to its broker and base URL. */
export async function startAdminGateway(
  seen: readonly string[] = neighbourNames,
): Promise<{ broker: ServiceBroker; base: string }> {
  const broker = await startNode("admin", [adminGateway]);
  await broker.waitForServices([...seen], 10_000);
  const { port } = (broker.getLocalService("admin-gateway") as unknown as AdminGateway).door;
  return { broker, base: `http://127.0.0.1:${port}` };
}

type Headers = Record<string, string>;

export const byBearer = (role: StaffRole): Headers => ({ Authorization: `Bearer ${sessionOf(role)}` });

/** As a browser on the staff page sends it. */
export const byCookie = (role: StaffRole, base: string): Headers => ({
  Cookie: `theme=dark; ovation_staff=${sessionOf(role)}`,
  "X-CSRF-Token": csrfOf(role),
  Origin: base,
  "Sec-Fetch-Site": "same-origin",
});
