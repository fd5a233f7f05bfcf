import { randomBytes } from "node:crypto";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { Secret, TOTP, URI } from "otpauth";
import { limits } from "../../config/limits.ts";
import { call } from "../../services/contracts.ts";
import type { StaffLogin } from "../../services/staff/staff.contract.ts";
import staffService from "../../services/staff/staff.service.ts";
import type { StaffRole } from "../../services/staff-roles.ts";
import { onStaffDatabase, setUpAtConsole } from "./set-up-at-console.ts";

/** Persons of the staff, as tests make them. */

/** The service with hashes of passwords that take no time. */
export const staff: ServiceSchema = {
  ...staffService,
  settings: { ...(staffService.settings as object), scryptCost: 64 } as ServiceSchema["settings"],
};

/** The session of OPERATOR_TOKEN, who may do everything, and the operator that it is. */
export const asOperator = () => ({
  ...{ session: `token:${process.env.OPERATOR_TOKEN}`, operator: "staff:operator" },
});

/** The code of an authenticator app, so many steps of 30 s from now: the ones beside the present one are accepted too. */
export function codeOf(secret: string, steps = 0): string {
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  return app.generate({ timestamp: Date.now() + steps * limits.staff.totpStepSeconds * 1_000 });
}

export function secretIn(totpUri: string): string {
  return URI.parse(totpUri).secret.base32;
}

export const goodPassword = () => randomBytes(12).toString("base64url");

export interface TestPerson {
  readonly name: string;
  readonly password: string;
  readonly secret: string;
  readonly login: StaffLogin;
}

let made = 0;

/** A person who has enrolled, with a session, as if set up at a console. No code is used up. */
export async function enrolledPerson(
  broker: ServiceBroker,
  role: StaffRole,
  { name = `p-${randomBytes(3).toString("hex")}-${made++}`, address = "10.0.0.1" } = {},
): Promise<TestPerson> {
  const { setupCode: code } = await call(broker, "staff.addPerson", { name, role, ...asOperator() });
  const { totpUri } = await call(broker, "staff.enrolBegin", { name, code, address });
  const [secret, password] = [secretIn(totpUri), goodPassword()];
  const totp = codeOf(secret);
  const login = await call(broker, "staff.enrolFinish", { name, code, password, totp, address });
  await forgetSteps(name);
  await setUpAtConsole(name);
  return { name, password, secret, login };
}

/** Another code of this step, as if time had passed: a test need not wait for the next step. */
export const forgetSteps = (name: string): Promise<void> =>
  onStaffDatabase("UPDATE t_staff_person SET totp_step = 0 WHERE name = ?", name);
