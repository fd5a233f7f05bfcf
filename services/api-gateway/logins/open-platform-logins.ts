import type { Service } from "moleculer";
import { countSeries } from "../../../broker/metric-series.ts";
import { call } from "../../contracts.ts";
import { platformJwt } from "../../jwt-settings.ts";
import { requestJwks } from "./jwks-request.ts";
import { fixedKey, Jwks } from "./jwt-keys.ts";
import { type JwtFault, JwtVerifier } from "./jwt-verifier.ts";
import { PlatformLogins } from "./platform-logins.ts";
import { PlatformUsers } from "./platform-users.ts";

const refusals = {
  name: "ovation.jwt.refused",
  description: "JWTs of the platform that a gateway refused, by fault",
} as const;

/**
 * The logins by the platform's JWT at a gateway; `null` where the settings have none. `jwks` is to be started and
 * stopped with the service. @throws Error that lists every problem of this process's settings
 */
export function platformLogins({ broker, logger }: Service): { logins: PlatformLogins; jwks: Jwks | undefined } | null {
  const settings = platformJwt();
  if (!settings) return null;
  broker.metrics.register({ type: "counter", ...refusals, labelNames: ["fault"] });
  const { key } = settings;
  const dropped = () => logins.forget();
  const jwks =
    key instanceof URL
      ? new Jwks({ request: (stopping) => requestJwks(key, stopping), dropped, log: logger })
      : undefined;
  const logins: PlatformLogins = new PlatformLogins({
    verifier: new JwtVerifier(settings, key instanceof URL ? (jwks as Jwks) : fixedKey(key)),
    users: new PlatformUsers({ ofExternal: (user) => call(broker, "user.ofExternal", user), log: logger }),
    refused: (fault: JwtFault) => countSeries(broker, refusals.name, { fault })(1),
    log: logger,
  });
  return { logins, jwks };
}
