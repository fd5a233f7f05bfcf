import { z } from "zod";
import { plaintextServers, tlsOf } from "./plaintext.ts";
import { sampleLogins } from "./sample-passwords.ts";
import { type ServerKind, serverUrl } from "./server-urls.ts";
import { secret, url } from "./setting-kinds.ts";
import { formerNamesIn, type SettingProblem, type SettingsBlock } from "./settings-block.ts";
import { readTrustedProxies } from "./trusted-proxies.ts";

/**
 * The settings: reads the environment into one validated and frozen object. All problems are reported at once, each
 * with the variable's name. A value is never printed, since it may be a key. `.env.example` documents every variable.
 */

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(["true", "false"]).transform((value) => value === "true");
/** Origins as browsers send them, separated by commas: only scheme, host and port. */
const origins = z.string().transform((value, ctx) => {
  const list = value.split(",").map((one) => one.trim());
  if (list.every((one) => URL.parse(one)?.origin === one)) return list;
  ctx.addIssue({ code: "custom", message: "must list origins like https://live.example.com, separated by commas" });
  return z.NEVER;
});
/** The default is parsed like a given value, so the setting always has the same type. */
const proxies = z
  .string()
  .default("false")
  .transform((value, ctx) => {
    try {
      return readTrustedProxies(value);
    } catch (error) {
      const message = `must be false, a number of proxies or a list of networks: ${(error as Error).message}`;
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    }
  });
/** A part of a node id, and of the subjects with its packets. */
const nodeName = (max: number) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9_+-]{1,${max}}$`), `must be 1 to ${max} of A-Z, a-z, 0-9, _, + and -`);
/** A time of day as HH:MM, in milliseconds after midnight; `off`: never, `null`. */
const timeOfDay = z
  .string()
  .default("10:30")
  .refine((value) => /^(([01]\d|2[0-3]):[0-5]\d|off)$/.test(value), "must be a time of day like 10:30, or off")
  .transform((value) => {
    if (value === "off") return null;
    const [hours = 0, minutes = 0] = value.split(":").map(Number);
    return (hours * 60 + minutes) * 60_000;
  });
/** Hosts as URLs have them, separated by commas; IPv6 addresses without brackets. */
const hosts = z
  .string()
  .default("")
  .transform((value, ctx) => {
    const list = value ? value.split(",").map((one) => one.trim().toLowerCase()) : [];
    if (list.every((one) => /^[a-z0-9_.:-]+$/.test(one))) return list;
    ctx.addIssue({ code: "custom", message: "must list hosts like nats.example.com,10.0.0.7, separated by commas" });
    return z.NEVER;
  });
const percent = z.coerce.number().int().min(0).max(100);

const schema = z
  .object({
    PROFILE: z.enum(["local", "production"]).default("production"),
    NAMESPACE: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,23}$/, "must be 1 to 24 of a-z, 0-9, _ and start with a letter")
      .default("ovation"),
    NODE_ID: nodeName(50).optional(),
    NODE_LABEL: nodeName(60).optional(),

    // Empty where no service of the process needs it, or where each has its own: see serviceUrl.
    NATS_URL: serverUrl.NATS_URL.or(z.literal("")).default(""),
    NATS_CA: z.string().min(1).optional(),
    REDIS_URL: serverUrl.REDIS_URL.or(z.literal("")).default(""),
    MYSQL_URL: serverUrl.MYSQL_URL.or(z.literal("")).default(""),
    MYSQL_MIGRATION_URL: serverUrl.MYSQL_URL.optional(),
    PLAINTEXT_HOSTS: hosts,
    EVENTS_MAX_BYTES: z.coerce.number().int().min(1_000_000).default(2_000_000_000),
    JETSTREAM_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),

    API_HOST: z.string().min(1).optional(),
    API_PORT: port.default(8088),
    API_URL: url("http:", "https:").optional(),
    API_PORT_SEARCH: flag.default(false),
    TRUST_PROXY: proxies,
    OPERATOR_TOKEN: secret.optional(),
    METRICS_TOKEN: secret.optional(),
    LOGIN_CODES_PER_IP_PER_MINUTE: z.coerce.number().int().min(0).optional(),
    LOGIN_FAILURES_PER_IP_PER_MINUTE: z.coerce.number().int().min(0).optional(),
    LOGIN_CODES_PER_PHONE_PER_DAY: z.coerce.number().int().min(0).max(1_000).default(10),
    REQUESTS_PER_IP_PER_MINUTE: z.coerce.number().int().min(0).default(0),

    IM_HOST: z.string().min(1).optional(),
    IM_PORT: port.default(8086),
    IM_PUBLIC_URL: z
      .string()
      .regex(/^wss?:\/\//, "must start with ws:// or wss:// ({port} stands for the node's port)")
      .default("ws://127.0.0.1:{port}/im"),
    IM_ALLOWED_ORIGINS: origins.optional(),

    LOG_FILE: z.string().min(1).optional(),
    LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
    CALL_TIMEOUT_MS: z.coerce.number().int().min(500).max(60_000).default(8_000),

    SMS_PROVIDER: z.enum(["console", "webhook"]).default("webhook"),
    SMS_WEBHOOK_URL: url("http:", "https:").optional(),
    SMS_WEBHOOK_TOKEN: z.string().min(1).optional(),
    SMS_BUDGET_PER_DAY: z.coerce.number().int().min(0).max(1_000_000_000).default(0),

    ANCHOR_SHARE_PERCENT: percent.default(50),
    GIFTS_PER_USER_PER_SECOND: z.coerce.number().int().min(0).max(10_000).default(20),
    ROOM_ANCHOR_AWAY_MINUTES: z.coerce.number().min(0).max(1_440).default(10),

    PAY_NOTIFY_BASE_URL: url("http:", "https:").optional(),
    RECONCILE_AT: timeOfDay,
  })
  .superRefine((env, ctx) => {
    const problem = (path: string, message: string) => ctx.addIssue({ code: "custom", path: [path], message });
    if (env.PROFILE === "production" && env.EVENTS_MAX_BYTES < 100_000_000)
      problem("EVENTS_MAX_BYTES", "must be 100000000 or more in production: consumers would miss events");
    if (env.PROFILE === "production" && env.SMS_PROVIDER === "console")
      problem("SMS_PROVIDER", "must not be console in production: it would show login codes to callers");
  });

/** Where nodes listen unless told otherwise. In the local profile no other machine reaches them. */
const listenHost = { local: "127.0.0.1", production: "0.0.0.0" } as const;

const settings = schema.transform(({ API_HOST, IM_HOST, ...others }) => {
  const host = listenHost[others.PROFILE];
  return { ...others, API_HOST: API_HOST ?? host, IM_HOST: IM_HOST ?? host };
});

type Parsed = z.output<typeof settings>;

/** The names of the settings above, for the test that compares `.env.example` with them. */
export const settingNames: readonly string[] = Object.freeze(Object.keys(schema.shape));

type Given = Record<string, string | undefined>;

/**
 * Validates an environment, with the blocks that parts of the system declare. An empty value counts as unset, so that a
 * compose file may pass variables through. @throws Error whose message has every problem, one in a line, with variable
 * names and without values.
 */
export function readConfig(env: Given, blocks: readonly SettingsBlock[] = []): Readonly<Parsed> {
  const result = settings.safeParse(Object.fromEntries(settingNames.map((name) => [name, env[name] || undefined])));
  const problems = result.success
    ? [...inClear(result.data, env), ...sampleLogins(result.data.PROFILE, env)]
    : problemsOf(result.error);
  for (const block of blocks) {
    const { values, problems: ofValues } = readBlock(block, env);
    problems.push(...ofValues);
    if (values && result.success) problems.push(...(block.problems?.(values, result.data) ?? []));
    if (result.success) problems.push(...(block.needs?.(result.data, env) ?? []));
  }
  if (!result.success || problems.length > 0) {
    const lines = problems.map(([name, message]) => `  ${name}: ${message}`);
    throw new Error(`The settings are not usable (see .env.example):\n${lines.join("\n")}`);
  }
  return Object.freeze(result.data);
}

/** What passes between the system and its servers moves money: nobody on the way may read or change it. */
function inClear({ PROFILE, PLAINTEXT_HOSTS }: Parsed, env: Given): SettingProblem[] {
  if (PROFILE !== "production") return [];
  return plaintextServers(env, PLAINTEXT_HOSTS).map(({ name, host }) => [
    name,
    `leads in clear to ${host}, which is not known to be this machine or in a private network: use ${tlsOf(name)}, ` +
      "or name the host in PLAINTEXT_HOSTS where nobody else can listen on the way",
  ]);
}

const problemsOf = ({ issues }: z.ZodError): SettingProblem[] =>
  issues.map(({ path, message }) => [path.join("."), message]);

/** The values of a block, `null` where none is set or they are incomplete; and the problems of each. */
function readBlock(block: SettingsBlock, environment: Given): { values: Given | null; problems: SettingProblem[] } {
  const { title, neededBy, settings } = block;
  const former = formerNamesIn(block, environment).map(({ former, name }) => [name, environment[former]]);
  const env: Given = { ...environment, ...Object.fromEntries(former) };
  const values: Given = {};
  const problems: SettingProblem[] = [];
  const given = Object.entries(settings).filter(([name]) => env[name]);
  for (const [name, { kind }] of given) {
    const { data, error } = kind.safeParse(env[name]);
    values[name] = data;
    for (const [, message] of error ? problemsOf(error) : []) problems.push([name, message]);
  }
  const missing = Object.keys(settings).filter((name) => !settings[name]?.optional && !env[name]);
  if (neededBy !== undefined)
    problems.push(...missing.map((name): SettingProblem => [name, `is needed by ${neededBy}`]));
  const begun = given.some(([name]) => !settings[name]?.alone);
  if (begun && missing.length > 0 && neededBy === undefined)
    problems.push([missing[0] as string, `${title} is half configured: ${missing.join(", ")} missing`]);
  return { values: !begun || problems.length > 0 ? null : values, problems };
}

/** A block's settings in this process's environment, validated; `null` where none is set. @throws as readConfig */
export function settingsOf(block: SettingsBlock): Readonly<Given> | null {
  readConfig(process.env, [block]);
  return readBlock(block, process.env).values;
}

let current: Readonly<Parsed> | undefined;

/** The settings of this process, read at the first call; later calls return the same object. */
export function config(): Readonly<Parsed> {
  current ??= readConfig(process.env);
  return current;
}

/** The next call of `config` reads the environment again: for a start that completes the environment step by step. */
export function readConfigAgain(): void {
  current = undefined;
}

/** The variable of a service's own login at a server, e.g. `LIVING_ROOM_MYSQL_URL`. */
export function serviceUrlName(kind: ServerKind, service: string): string {
  return `${service.toUpperCase().replaceAll("-", "_")}_${kind}`;
}

/** Whether a service of this process has a login of its own at NATS, MySQL or Redis. */
export function hasOwnLogin(kind: ServerKind, service: string): boolean {
  return Boolean(process.env[serviceUrlName(kind, service)]);
}

/**
 * The URL by which a service of this process logs in to NATS, MySQL or Redis: its own, `<SERVICE>_<KIND>` of the environment,
 * else the plain one. @throws Error with the variables' names where neither is set, or its own is not usable
 */
export function serviceUrl(kind: ServerKind, service: string): string {
  const name = serviceUrlName(kind, service);
  const own = process.env[name];
  if (!own) {
    if (config()[kind] === "") throw new Error(`Neither ${name} nor ${kind} is set (see .env.example).`);
    return config()[kind];
  }
  const { data, error } = serverUrl[kind].safeParse(own);
  if (data === undefined) throw new Error(`${name}: ${problemsOf(error)[0]?.[1]}`);
  return data;
}

/** The MySQL database of a service, e.g. `ovation_wallet`. */
export function databaseName(service: string, namespace: string = config().NAMESPACE): string {
  return `${namespace}_${service.replaceAll("-", "_")}`;
}

/**
 * The prefix of JetStream names: empty in the default namespace, where other systems read them (stream `EVENTS`,
 * subject `event.gift.settled`). Any other namespace has a prefix, so that several systems can share one NATS server.
 */
export function natsPrefix(): string {
  return config().NAMESPACE === "ovation" ? "" : `${config().NAMESPACE}_`;
}
