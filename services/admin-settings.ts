import { z } from "zod";
import { settingsOf } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { url } from "../config/setting-kinds.ts";
import type { SettingsBlock } from "../config/settings-block.ts";
import { addressProblems } from "./door-settings.ts";
import { operatorToken, operatorTokenProblems } from "./operator-token.ts";

const defaultHost = "127.0.0.1";
const defaultPort = "8098";

const wholeNumber = (most: number) =>
  z
    .string()
    .refine((value) => /^\d{1,7}$/.test(value) && Number(value) <= most, `must be a whole number from 0 to ${most}`);

/** Host names as browsers send them, separated by commas, without ports. */
const hostNames = z
  .string()
  .refine(
    (value) => value.split(",").every((one) => /^(\[[0-9a-f:.]+\]|[a-z0-9_.:-]+)$/i.test(one.trim())),
    "must list hosts like staff.example.com,10.0.0.7, separated by commas",
  );

/** Of admin-gateway nodes. */
export const adminSettings: SettingsBlock = {
  title: "The staff's listener",
  needs(base, env) {
    return [...(base.PROFILE === "production" ? addressProblems(env) : []), ...operatorTokenProblems(base, env)];
  },
  settings: {
    ADMIN_HOST: {
      kind: z.string().min(1),
      optional: true,
      text: [
        "For admin-gateway nodes: where the staff's API and page listen, apart from the users' port. Unset: 127.0.0.1 and",
        "8098. Keep it from the users' network: people come to it by a VPN, an SSH tunnel or a proxy that asks who they are.",
      ],
    },
    ADMIN_PORT: { kind: wholeNumber(65_535), optional: true },
    ADMIN_PORT_SEARCH: {
      kind: z.enum(["true", "false"]),
      optional: true,
      text: ["true: where the port is taken, one of the next free ports. 0 as the port is any free one."],
    },
    ADMIN_URL: {
      kind: url("http:", "https:"),
      optional: true,
      text: [
        "Where browsers reach it, e.g. https://staff.example.com. Unset: at the address above. With https:// the session's",
        "cookie is Secure, also where TRUST_PROXY is false.",
      ],
    },
    ADMIN_HOSTS: {
      kind: hostNames,
      optional: true,
      text: [
        "Further host names by which browsers come, separated by commas. A request whose Host is neither among them nor a",
        "loopback address nor the host of ADMIN_URL or ADMIN_HOST is refused: a page elsewhere whose name was made to lead",
        "here (DNS rebinding) reaches nothing.",
      ],
    },
    ADMIN_REQUESTS_PER_IP_PER_MINUTE: {
      kind: wholeNumber(1_000_000),
      optional: true,
      text: [
        "Requests of one address in a minute, and requests without a valid session, beyond which only sessions that the node",
        `knows are let in from there. 0: no limit. Unset: ${limits.admin.requestsPerAddressPerMinute} and ${limits.admin.failuresPerAddressPerMinute}. Behind a proxy set TRUST_PROXY.`,
      ],
    },
    ADMIN_FAILURES_PER_IP_PER_MINUTE: { kind: wholeNumber(1_000_000), optional: true },
  },
};

export interface AdminListener {
  readonly host: string;
  readonly port: number;
  /** Whether one of the next ports is taken where the port is not free. */
  readonly search: boolean;
  /** The names by which requests may come, lower case, besides loopback addresses; IPv6 addresses without brackets. */
  readonly hosts: ReadonlySet<string>;
  /** Whether browsers come by TLS, whatever this listener sees of it: ADMIN_URL says so. */
  readonly secure: boolean;
  /** 0: no limit. */
  readonly requestsPerAddressPerMinute: number;
  /** Of requests without a valid session; 0: no limit. */
  readonly failuresPerAddressPerMinute: number;
  /** In the local profile alone: a Bearer token that is the person `operator`. */
  readonly operatorToken: string | undefined;
}

/** `[::1]` is `::1`. */
export const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, "$1").toLowerCase();

/** The settings of the staff's listener. @throws Error that lists every problem of this process's settings */
export function adminListener(): AdminListener {
  const given = settingsOf(adminSettings) ?? {};
  const host = given.ADMIN_HOST ?? defaultHost;
  const named = given.ADMIN_HOSTS?.split(",") ?? [];
  const ofUrl = given.ADMIN_URL === undefined ? [] : [new URL(given.ADMIN_URL).hostname];
  const { ADMIN_REQUESTS_PER_IP_PER_MINUTE: requests, ADMIN_FAILURES_PER_IP_PER_MINUTE: failures } = given;
  return {
    host,
    port: Number(given.ADMIN_PORT ?? defaultPort),
    search: given.ADMIN_PORT_SEARCH === "true",
    hosts: new Set([host, ...named, ...ofUrl].map((one) => withoutBrackets(one.trim()))),
    secure: given.ADMIN_URL !== undefined && new URL(given.ADMIN_URL).protocol === "https:",
    requestsPerAddressPerMinute: Number(requests ?? limits.admin.requestsPerAddressPerMinute),
    failuresPerAddressPerMinute: Number(failures ?? limits.admin.failuresPerAddressPerMinute),
    operatorToken: operatorToken(),
  };
}
