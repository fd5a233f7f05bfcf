import { isServerUrl } from "./plaintext.ts";
import { passwordsOf } from "./server-urls.ts";
import type { SettingProblem } from "./settings-block.ts";

/** The password of every login in docker-compose.yml, which everybody knows. */
const samplePassword = "demonstration";

/** In production: each variable whose URL logs in at a server with the password of the demonstration. Pure. */
export function sampleLogins(
  profile: "local" | "production",
  env: Readonly<Record<string, string | undefined>>,
): SettingProblem[] {
  if (profile !== "production") return [];
  return Object.entries(env)
    .filter(([name, value]) => isServerUrl(name) && passwordsOf(value ?? "").includes(samplePassword))
    .map(([name]) => [name, "must not have the password of the demonstration in production: everybody knows it"]);
}
