/**
 * Which service needs which variable of the environment. A process gets the variables of its services and no others, so
 * that whoever takes over one service finds the secrets of that one alone.
 */

/** The services whose processes get a variable. */
type Owners = "every" | readonly string[];

const gateway = ["api-gateway"];
const adminGateway = ["admin-gateway"];
const imServer = ["im-server"];
const redisUsers = [
  "api-gateway",
  "admin-gateway",
  "user",
  "living-room",
  "gift",
  "wallet",
  "im-router",
  "im-server",
  "webhook",
];
const databaseOwners = [
  "user",
  "living-room",
  "gift",
  "wallet",
  "payment",
  "notification",
  "auditor",
  "battle",
  "rank",
  "platform",
  "webhook",
  "staff",
  "archiver",
];

/** No secrets: a process that has one too many is not in danger. */
const plain: Readonly<Record<string, Owners>> = {
  PROFILE: "every",
  NAMESPACE: "every",
  NODE_ID: "every",
  NODE_LABEL: "every",
  JETSTREAM_REPLICAS: "every",
  EVENTS_MAX_BYTES: "every",
  NATS_CA: "every",
  LOG_FILE: "every",
  LOG_LEVEL: "every",
  CALL_TIMEOUT_MS: "every",
  PREFLIGHT_ACCEPT: "every",
  TRACES: "every",
  TRACES_URL: "every",
  TRACES_SAMPLE: "every",
  TRACES_INCOMING: "every",
  API_HOST: gateway,
  API_PORT: [...gateway, "payment"],
  API_PORT_SEARCH: gateway,
  API_URL: [...gateway, "payment"],
  PLAINTEXT_HOSTS: "every",
  HTTP_DRAIN_MS: [...gateway, ...adminGateway],
  TRUST_PROXY: [...gateway, ...adminGateway, ...imServer],
  LOGIN_CODES_PER_IP_PER_MINUTE: gateway,
  LOGIN_FAILURES_PER_IP_PER_MINUTE: gateway,
  LOGIN_CODES_PER_PHONE_PER_DAY: ["user"],
  SMS_BUDGET_PER_DAY: ["user"],
  REQUESTS_PER_IP_PER_MINUTE: gateway,
  ADMIN_HOST: adminGateway,
  ADMIN_PORT: adminGateway,
  ADMIN_PORT_SEARCH: adminGateway,
  ADMIN_URL: adminGateway,
  ADMIN_HOSTS: adminGateway,
  ADMIN_REQUESTS_PER_IP_PER_MINUTE: adminGateway,
  ADMIN_FAILURES_PER_IP_PER_MINUTE: adminGateway,
  IM_HOST: imServer,
  IM_PORT: imServer,
  IM_PUBLIC_URL: imServer,
  IM_ALLOWED_ORIGINS: imServer,
  SMS_LOGIN: [...gateway, "user", "notification"],
  JWT_ISSUER: gateway,
  JWT_AUDIENCE: gateway,
  JWT_ALGORITHMS: gateway,
  JWT_USER_CLAIM: gateway,
  JWT_NAME_CLAIM: gateway,
  JWT_AVATAR_CLAIM: gateway,
  SMS_PROVIDER: ["notification"],
  SMS_WEBHOOK_URL: ["notification"],
  ANCHOR_SHARE_PERCENT: ["gift"],
  GIFTS_PER_USER_PER_SECOND: ["gift"],
  GIFT_GATE_TIMEOUT_MS: ["gift"],
  GIFT_GATE_ON_FAILURE: ["gift"],
  ROOM_ANCHOR_AWAY_MINUTES: ["living-room"],
  PAY_NOTIFY_BASE_URL: ["payment"],
  RECONCILE_AT: ["payment"],
  FOUR_EYES_COINS: ["platform"],
  AUDIT_KEEP_DAYS: ["staff"],
  PROVIDER_WEBHOOK_KEEP_DAYS: ["payment"],
  PROVIDER_NOTICE_KEEP_DAYS: ["payment"],
  RANKS: [...gateway, "rank", "battle", "provisioner"],
  PLATFORM_TIMEZONE: ["rank", "archiver"],
  ARCHIVE: ["archiver"],
  ARCHIVE_AFTER_DAYS: ["archiver"],
  ARCHIVE_FILTER_MB: ["wallet", "gift"],
  WEBHOOK_PRIVATE_ADDRESSES: [...gateway, "webhook"],
};

/** Keys, passwords and URLs that contain them. In production a process that finds one of others does not start. */
const secret: Readonly<Record<string, Owners>> = {
  NATS_URL: "every",
  REDIS_URL: redisUsers,
  MYSQL_URL: databaseOwners,
  BOOKS_MYSQL_URL: ["auditor"],
  WALLET_MYSQL_URLS: ["wallet", "gift", "auditor", "archiver"],
  OPERATOR_TOKEN: ["staff", ...adminGateway],
  METRICS_TOKEN: gateway,
  SMS_WEBHOOK_TOKEN: ["notification"],
  TOKEN_KEYS: ["user", ...gateway],
  JWT_JWKS_URL: gateway,
  JWT_PUBLIC_KEY: gateway,
  JWT_SECRET: gateway,
  GIFT_KEYS: ["gift"],
  GIFT_GATE_URL: ["gift"],
  GIFT_GATE_SECRET: ["gift"],
  PAY_KEYS: ["payment", "wallet"],
  PLATFORM_KEYS: ["platform", "wallet"],
  BOOK_KEYS: ["wallet", "auditor"],
  GIFT_BOOK_KEYS: ["gift", "auditor"],
  PAYMENT_BOOK_KEYS: ["payment", "auditor"],
  AUDITOR_BOOK_KEYS: ["auditor"],
  PLATFORM_BOOK_KEYS: ["platform", "auditor"],
  STAFF_BOOK_KEYS: ["staff", "auditor"],
  ARCHIVER_BOOK_KEYS: ["archiver", "auditor"],
  WEBHOOK_KEYS: ["webhook"],
  STAFF_KEYS: ["staff"],
  // Of administrators, migrations and people: of no service.
  MYSQL_ADMIN_URL: [],
  MYSQL_MIGRATION_URL: [],
  NATS_ADMIN_URL: [],
  NATS_BUS_ADMIN_URL: [],
};

/** Keys that sign. No command of a person needs one. */
export const keySettings = [
  ...(["TOKEN_KEYS", "GIFT_KEYS", "PAY_KEYS", "WEBHOOK_KEYS", "PLATFORM_KEYS", "STAFF_KEYS"] as const),
  ...(["BOOK_KEYS", "GIFT_BOOK_KEYS", "PAYMENT_BOOK_KEYS", "AUDITOR_BOOK_KEYS", "PLATFORM_BOOK_KEYS"] as const),
  ...(["STAFF_BOOK_KEYS", "ARCHIVER_BOOK_KEYS"] as const),
] as const;

/** A service's own login at a server, e.g. `<SERVICE>_MYSQL_URL`: the service's name. */
export function serviceOfUrl(variable: string): string | undefined {
  return /^([A-Z0-9_]+)_(?:NATS|MYSQL|REDIS)_URL$/.exec(variable)?.[1]?.toLowerCase().replaceAll("_", "-");
}

/**
 * The settings and secrets by owner. `declared` has the variables that a service declares beside its code, e.g. those
 * of the payment providers, as secrets of that service.
 */
export class ProcessSettings {
  private readonly secrets: ReadonlyMap<string, Owners>;

  constructor(declared: Readonly<Record<string, Owners>> = {}) {
    this.secrets = new Map(Object.entries({ ...secret, ...declared }));
  }

  /** Whether a process of these services needs the variable; true of a variable that is no setting, such as PATH. */
  belongsTo(services: readonly string[], variable: string): boolean {
    const owners = this.ownersOf(variable);
    return owners === undefined || owners === "every" || owners.some((owner) => services.includes(owner));
  }

  /** Whether the variable is a secret. */
  isSecret(variable: string): boolean {
    return this.secrets.has(variable) || serviceOfUrl(variable) !== undefined;
  }

  /** The services that get a setting; `undefined` where it is none. */
  ownersOf(variable: string): Owners | undefined {
    if (Object.hasOwn(plain, variable)) return plain[variable];
    const listed = this.secrets.get(variable);
    if (listed !== undefined) return listed;
    const service = serviceOfUrl(variable);
    return service === undefined ? undefined : [service];
  }

  /** The variables that are set and belong to none of the services, sorted. */
  foreign(services: readonly string[], env: Readonly<Record<string, string | undefined>>): string[] {
    return Object.keys(env)
      .filter((variable) => env[variable] && !this.belongsTo(services, variable))
      .sort();
  }
}
