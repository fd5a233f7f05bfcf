import { config } from "../config/config.ts";
import type { BaseSettings, SettingProblem } from "../config/settings-block.ts";

/** OPERATOR_TOKEN: in the local profile it is a person of role admin, for scripts and tests; production refuses it. */

/** A problem where OPERATOR_TOKEN is set in production. */
export function operatorTokenProblems(
  { PROFILE }: Pick<BaseSettings, "PROFILE">,
  env: Readonly<Record<string, string | undefined>>,
): SettingProblem[] {
  if (PROFILE !== "production" || !env.OPERATOR_TOKEN) return [];
  const why = "must not be set in production: persons of the staff have accounts of their own (npm run operator)";
  return [["OPERATOR_TOKEN", why]];
}

/** `undefined` where there is none, and outside of the local profile. */
export function operatorToken(): string | undefined {
  const { PROFILE, OPERATOR_TOKEN } = config();
  return PROFILE === "local" ? OPERATOR_TOKEN : undefined;
}
