import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import type { Right, StaffRole } from "../../staff-roles.ts";

export async function requireRight(
  _staff: Service,
  _session: string,
  _right: Right,
): Promise<{ name: string; role: StaffRole }> {
  throw fail("notLoggedIn");
}
