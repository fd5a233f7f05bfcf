import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { readTrustedProxies } from "./trusted-proxies.ts";

/**
 * The settings: environment in, one validated and frozen object out. All problems are reported at once, each with the
 * variable's name; a value itself is never printed, since it may be a key. `.env.example` documents every variable.
 */

const port = z.coerce.number().int().min(0).max(65_535);
const url = (...schemes: string[]) =>
  z.url().refine((value) => schemes.includes(new URL(value).protocol), `must start with ${schemes.join(" or ")}//`);
const flag = z.enum(["true", "false"]).transform((value) => value === "true");
/** Origins as browsers send them, separated by commas: scheme, host and port, nothing after. */
const origins = z.string().transform((value, ctx) => {
  const list = value.split(",").map((one) => one.trim());
  if (list.every((one) => URL.parse(one)?.origin === one)) return list;
  ctx.addIssue({ code: "custom", message: "must list origins like https://live.example.com, separated by commas" });
  return z.NEVER;
});
/** The default goes the same way, so that the setting is always the one kind of value. */
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
const percent = z.coerce.number().int().min(0).max(100);

/** An RSA key as PEM in the variable itself (with \n written out or real), or as file:PATH. */
const pem = (kind: "private" | "public") =>
  z.string().transform((value, ctx) => {
    const unusable = (message: string) => {
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    let text = value.replaceAll("\\n", "\n");
    if (value.startsWith("file:")) {
      try {
        text = readFileSync(value.slice("file:".length), "utf8");
      } catch {
        return unusable("names a file that does not exist or cannot be read");
      }
    }
    if (!text.includes("-----BEGIN ")) return unusable("is no PEM key (and no file:PATH of one)");
    if (kind === "public" && text.includes("PRIVATE KEY")) return unusable("is a private key, a public one is needed");
    try {
      const key = kind === "private" ? createPrivateKey(text) : createPublicKey(text);
      if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2_048)
        return unusable("is no RSA key of 2048 bits or more");
    } catch {
      // The reader's own words may quote the key.
      return unusable(`is no ${kind} key that can be read`);
    }
    return text;
  });

/** What each payment channel needs, all of it or none, and what it may have besides. */
const channelSettings = {
  "WeChat Pay": {
    needed: [
      "WECHAT_PAY_MCHID",
      "WECHAT_PAY_APPID",
      "WECHAT_PAY_APIV3_KEY",
      "WECHAT_PAY_PRIVATE_KEY",
      "WECHAT_PAY_SERIAL_NO",
      "WECHAT_PAY_PLATFORM_PUBLIC_KEY",
      "WECHAT_PAY_PLATFORM_SERIAL",
    ],
    optional: ["WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY", "WECHAT_PAY_NEXT_PLATFORM_SERIAL", "WECHAT_PAY_BASE_URL"],
  },
  Alipay: {
    needed: ["ALIPAY_APP_ID", "ALIPAY_SELLER_ID", "ALIPAY_PRIVATE_KEY", "ALIPAY_PUBLIC_KEY"],
    optional: ["ALIPAY_GATEWAY"],
  },
} as const;

const schema = z
  .object({
    PROFILE: z.enum(["local", "production"]).default("production"),
    NAMESPACE: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,23}$/, "must be 1 to 24 of a-z, 0-9, _ and start with a letter")
      .default("ovation"),
    NODE_ID: z.string().min(1).max(100).optional(),
    NODE_LABEL: z.string().min(1).max(60).optional(),

    NATS_URL: url("nats:", "tls:"),
    REDIS_URL: url("redis:", "rediss:"),
    MYSQL_URL: url("mysql:", "mariadb:"),
    EVENTS_MAX_BYTES: z.coerce.number().int().min(1_000_000).default(2_000_000_000),
    JETSTREAM_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),

    API_HOST: z.string().min(1).default("0.0.0.0"),
    API_PORT: port.default(8088),
    API_URL: url("http:", "https:").optional(),
    API_PORT_SEARCH: flag.default(false),
    TRUST_PROXY: proxies,
    OPERATOR_TOKEN: z.string().min(16, "must have at least 16 characters").optional(),
    METRICS_TOKEN: z.string().min(16, "must have at least 16 characters").optional(),
    LOGIN_CODES_PER_IP_PER_MINUTE: z.coerce.number().int().min(0).optional(),
    REQUESTS_PER_IP_PER_MINUTE: z.coerce.number().int().min(0).default(0),

    IM_HOST: z.string().min(1).default("0.0.0.0"),
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

    ANCHOR_SHARE_PERCENT: percent.default(50),
    ROOM_ANCHOR_AWAY_MINUTES: z.coerce.number().min(0).max(1_440).default(10),

    PAY_NOTIFY_BASE_URL: url("http:", "https:").optional(),
    CASHIER_SECRET: z.string().min(16, "must have at least 16 characters").optional(),
    CASHIER_BILL_DIR: z.string().min(1).optional(),
    WECHAT_PAY_MCHID: z.string().min(1).optional(),
    WECHAT_PAY_APPID: z.string().min(1).optional(),
    WECHAT_PAY_APIV3_KEY: z
      .string()
      .regex(/^[\x21-\x7e]{32}$/, "must have 32 printable characters")
      .optional(),
    WECHAT_PAY_PRIVATE_KEY: pem("private").optional(),
    WECHAT_PAY_SERIAL_NO: z.string().min(1).optional(),
    WECHAT_PAY_PLATFORM_PUBLIC_KEY: pem("public").optional(),
    WECHAT_PAY_PLATFORM_SERIAL: z.string().min(1).optional(),
    WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: pem("public").optional(),
    WECHAT_PAY_NEXT_PLATFORM_SERIAL: z.string().min(1).optional(),
    WECHAT_PAY_BASE_URL: url("http:", "https:").optional(),
    ALIPAY_APP_ID: z.string().min(1).optional(),
    ALIPAY_SELLER_ID: z.string().min(1).optional(),
    ALIPAY_PRIVATE_KEY: pem("private").optional(),
    ALIPAY_PUBLIC_KEY: pem("public").optional(),
    ALIPAY_GATEWAY: url("http:", "https:").optional(),
  })
  .superRefine((env, ctx) => {
    const problem = (path: string, message: string) => ctx.addIssue({ code: "custom", path: [path], message });
    if (env.SMS_PROVIDER === "webhook" && !env.SMS_WEBHOOK_URL)
      problem("SMS_WEBHOOK_URL", "is needed while SMS_PROVIDER is webhook");
    for (const [channel, { needed, optional }] of Object.entries(channelSettings)) {
      const missing = needed.filter((name) => env[name] === undefined);
      const given = [...needed, ...optional].some((name) => env[name] !== undefined);
      if (given && missing.length > 0)
        problem(missing[0] as string, `${channel} is half configured: ${missing.join(", ")} missing`);
      if (given && env.PROFILE === "production" && !env.PAY_NOTIFY_BASE_URL && !env.API_URL)
        problem("PAY_NOTIFY_BASE_URL", `is needed (or API_URL), so that the notices of ${channel} arrive`);
    }
    const { WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: nextKey, WECHAT_PAY_NEXT_PLATFORM_SERIAL: nextSerial } = env;
    if ((nextKey === undefined) !== (nextSerial === undefined))
      problem(
        nextKey === undefined ? "WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY" : "WECHAT_PAY_NEXT_PLATFORM_SERIAL",
        "is missing: the next platform key of WeChat Pay and its serial are set together",
      );
    if (nextSerial !== undefined && nextSerial === env.WECHAT_PAY_PLATFORM_SERIAL)
      problem("WECHAT_PAY_NEXT_PLATFORM_SERIAL", "is the present key's: the next key has a serial of its own");
    if (env.PROFILE !== "production") return;
    if (env.SMS_PROVIDER === "console")
      problem("SMS_PROVIDER", "must not be console in production: it would show login codes to callers");
    if (env.CASHIER_SECRET) problem("CASHIER_SECRET", "must not be set in production: the cashier gives coins away");
  });

export type Env = z.input<typeof schema>;
type Parsed = z.output<typeof schema>;

/** The names of all settings, for the test that holds `.env.example` against them. */
export const settingNames: readonly string[] = Object.freeze(Object.keys(schema.shape));

/**
 * Validates an environment. Empty values count as unset, so that a compose file may pass variables through.
 * @throws Error whose message lists every problem, one a line, by variable name and without the values.
 */
export function readConfig(env: Record<string, string | undefined>): Readonly<Parsed> {
  const given = Object.fromEntries(settingNames.map((name) => [name, env[name] || undefined]));
  const result = schema.safeParse(given);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The settings are not usable (see .env.example):\n${lines.join("\n")}`);
  }
  return Object.freeze(result.data);
}

let current: Readonly<Parsed> | undefined;

/** The settings of this process, read once at the first call and the same object ever after. */
export function config(): Readonly<Parsed> {
  current ??= readConfig(process.env);
  return current;
}

/** The MySQL database that belongs to one service, e.g. `ovation_wallet`. */
export function databaseName(service: string): string {
  return `${config().NAMESPACE}_${service.replaceAll("-", "_")}`;
}

/**
 * JetStream names are bare in the default namespace, as other systems read them (stream `EVENTS`, subject
 * `event.gift.settled`), and prefixed in any other, so that several systems can share one NATS server.
 */
export function natsPrefix(): string {
  return config().NAMESPACE === "ovation" ? "" : `${config().NAMESPACE}_`;
}
