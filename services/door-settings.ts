import { z } from "zod";
import { config, settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import type { SettingProblem, SettingsBlock } from "../config/settings-block.ts";

/** What processes need in production because of the people outside, beside settings that have a safe default. */

/** Limits by address count the clients, or else their proxy, as one: only the operator knows which it is. */
export function addressProblems(env: Readonly<Record<string, string | undefined>>): SettingProblem[] {
  if (env.TRUST_PROXY) return [];
  return [
    [
      "TRUST_PROXY",
      "must be set in production: false where clients connect directly, else the proxies in front (.env.example): " +
        "limits by address would count all clients behind a proxy as one",
    ],
  ];
}

/** How long a gateway that is told to stop says so to load balancers, before it takes no connection any more. */
const drainSetting = {
  HTTP_DRAIN_MS: {
    kind: z
      .string()
      .regex(/^\d{1,4}$/, "must be 0 to 8000 milliseconds")
      .refine((text) => Number(text) <= 8_000),
    optional: true,
    text: [
      "How long a gateway that is told to stop answers requests as always while its GET /health/ready is 503, milliseconds",
      "(0 to 8000): longer than the load balancer takes to notice it. Then connections are refused. Unset: 5000 in",
      "production, 0 in the local profile.",
    ],
  },
} as const;

/** See HTTP_DRAIN_MS; milliseconds. @throws Error that lists every problem of the settings */
export function drainMs(): number {
  const given = settingsOf({ title: "Draining", settings: drainSetting })?.HTTP_DRAIN_MS;
  if (given !== undefined) return Number(given);
  return config().PROFILE === "production" ? limits.http.drainMs : 0;
}

/** Of api-gateway nodes. */
export const gatewaySettings: SettingsBlock = {
  title: "The gateway",
  settings: drainSetting,
  needs({ PROFILE, METRICS_TOKEN }, env) {
    if (PROFILE !== "production") return [];
    const logins: SettingProblem = [
      "SMS_LOGIN",
      "must not be off in production where no JWT of a platform is a login (JWT_ISSUER, ...): nobody could log in",
    ];
    const metrics: SettingProblem = [
      "METRICS_TOKEN",
      "is needed by the gateway in production, 16 characters and more: without it nobody could read GET /metrics, " +
        "which the alerts are read from, nor the reasons in GET /health/ready",
    ];
    return [
      ...(METRICS_TOKEN ? [] : [metrics]),
      ...(env.SMS_LOGIN === "off" && !env.JWT_ISSUER ? [logins] : []),
      ...addressProblems(env),
    ];
  },
};

/** Of im-server nodes, which count connects with bad tokens by address. */
export const imServerSettings: SettingsBlock = {
  title: "The im-servers",
  settings: {},
  needs: ({ PROFILE }, env) => (PROFILE === "production" ? addressProblems(env) : []),
};

/** Of user nodes: whoever has many addresses and phones can make the system send SMS, which cost money. */
export const userSettings: SettingsBlock = {
  title: "The user service",
  settings: {},
  needs: ({ PROFILE }, { SMS_BUDGET_PER_DAY: budget, SMS_LOGIN: login }) =>
    PROFILE === "production" && !budget && login !== "off"
      ? [
          [
            "SMS_BUDGET_PER_DAY",
            "must be set in production: how many login codes may be sent in a day, well above a busy day's; 0: no limit",
          ],
        ]
      : [],
};

/** @throws Error that lists every problem of this process's settings, those of the block among them */
export function requireSettings(block: SettingsBlock): void {
  settingsOf(block);
}
