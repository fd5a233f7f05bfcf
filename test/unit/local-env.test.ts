import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceNames } from "../../broker/launch.ts";
import { settingNames } from "../../config/config.ts";
import { hasDatabase } from "../../scripts/databases.ts";
import { processSettings, useNodeEnv } from "../../scripts/local-env.ts";
import { readStackEnv, useStackEnv, writeStackEnv } from "../../scripts/stack/env-file.ts";
import { adminSettings } from "../../services/admin-settings.ts";
import { bookSettings } from "../../services/book-keys.ts";
import { fourEyesSettings } from "../../services/four-eyes-settings.ts";
import { gateSettings } from "../../services/gift/gate/gate-settings.ts";
import { jwtSettings } from "../../services/jwt-settings.ts";
import { providerSettings } from "../../services/payment/providers/open-providers.ts";
import { rankSettings } from "../../services/rank-settings.ts";
import { retentionSettings } from "../../services/retention-settings.ts";
import { giftKeySettings, payKeySettings, platformKeySettings } from "../../services/signing-keys.ts";
import { smsLoginSettings } from "../../services/sms-login.ts";
import { staffKeySettings } from "../../services/staff-keys.ts";
import { tokenSettings } from "../../services/token-keys.ts";
import { webhookKeySettings } from "../../services/webhook-keys.ts";
import { webhookSettings } from "../../services/webhook-settings.ts";

let dir: string;
/** A folder that is not there yet, as in a container. */
let stackDir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-node-env-"));
  stackDir = join(dir, "stack");
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** The keys that nodes of each service need; the others need none. */
const keysOf: Readonly<Record<string, readonly string[]>> = {
  user: ["TOKEN_KEYS"],
  "api-gateway": ["TOKEN_KEYS"],
  gift: ["GIFT_KEYS", "GIFT_BOOK_KEYS"],
  payment: ["PAY_KEYS", "PAYMENT_BOOK_KEYS"],
  wallet: ["PAY_KEYS", "PLATFORM_KEYS", "BOOK_KEYS"],
  auditor: [
    "BOOK_KEYS",
    "GIFT_BOOK_KEYS",
    "PAYMENT_BOOK_KEYS",
    "AUDITOR_BOOK_KEYS",
    "PLATFORM_BOOK_KEYS",
    "STAFF_BOOK_KEYS",
    "ARCHIVER_BOOK_KEYS",
  ],
  platform: ["PLATFORM_KEYS", "PLATFORM_BOOK_KEYS"],
  webhook: ["WEBHOOK_KEYS"],
  staff: ["STAFF_KEYS", "STAFF_BOOK_KEYS"],
  archiver: ["ARCHIVER_BOOK_KEYS"],
};
const allKeys = [...new Set(Object.values(keysOf).flat())];
const keysWith = (value: string, names: readonly string[] = allKeys) =>
  Object.fromEntries(names.map((name) => [name, value]));

describe("the environment of a node", () => {
  test.each(serviceNames.filter((name) => !keysOf[name]))(
    "of %s has no keys, wherever they came from, and nothing is written for it",
    async (name) => {
      const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local" });
      expect(existsSync(stackDir)).toBe(false);
      await writeStackEnv(stackDir, { ...keysWith("k1:kept"), NATS_URL: "nats://127.0.0.1:1" });
      await useNodeEnv([name], stackDir, env);
      expect(env).toEqual({ PROFILE: "local", NATS_URL: "nats://127.0.0.1:1" });
    },
  );

  test.each(Object.entries(keysOf))("of %s keeps its keys that are given (%p), and no others", async (name, keys) => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
    await useNodeEnv([name], stackDir, env);
    expect(env).toEqual({ PROFILE: "local", ...keysWith("k1:given", keys) });
    expect(existsSync(stackDir)).toBe(false);
  });

  test("with every service keeps all keys that are given, and nothing is written", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "local", ...keysWith("k1:given") };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "local", ...keysWith("k1:given") });
    expect(existsSync(stackDir)).toBe(false);
  });

  test.each(Object.entries(keysOf))(
    "of %s without its keys (%p) gets those that are kept, which are made once",
    async (name, keys) => {
      const envs: NodeJS.ProcessEnv[] = [{ PROFILE: "local" }, { PROFILE: "local", ...keysWith("", keys) }];
      for (const env of envs) await useNodeEnv([name], stackDir, env);
      const kept = readStackEnv(stackDir);
      expect(Object.keys(kept)).toEqual(keys);
      for (const key of Object.values(kept)) expect(key).toMatch(/^local:[A-Za-z0-9_-]{43}$/);
      for (const env of envs) expect(env).toEqual({ PROFILE: "local", ...kept });
    },
  );

  test("in production no keys are made", async () => {
    const env: NodeJS.ProcessEnv = { PROFILE: "production" };
    await useNodeEnv(serviceNames, stackDir, env);
    expect(env).toEqual({ PROFILE: "production" });
    expect(existsSync(stackDir)).toBe(false);
  });
});

describe("a node finds the settings of its services and no others:", () => {
  const logins = {
    MYSQL_URL: "mysql://admin:a@127.0.0.1:1",
    WALLET_MYSQL_URL: "mysql://wallet:w@127.0.0.1:1",
    GIFT_MYSQL_URL: "mysql://gift:g@127.0.0.1:1",
  };
  const secrets = {
    TOKEN_KEYS: "k1:given",
    OPERATOR_TOKEN: "operator-token",
    METRICS_TOKEN: "metrics-token",
    SMS_WEBHOOK_TOKEN: "sms",
    CASHIER_SECRET: "cashier",
    ALIPAY_PRIVATE_KEY: "alipay",
    PAY_KEYS: "k1:pay",
    PLATFORM_KEYS: "k1:platform",
    GIFT_KEYS: "k1:gift",
    BOOK_KEYS: "k1:book",
    GIFT_BOOK_KEYS: "k1:gift-book",
    PAYMENT_BOOK_KEYS: "k1:payment-book",
    AUDITOR_BOOK_KEYS: "k1:auditor-book",
    PLATFORM_BOOK_KEYS: "k1:platform-book",
    WEBHOOK_KEYS: "k1:webhook",
    STAFF_KEYS: "k1:staff",
    STAFF_BOOK_KEYS: "k1:staff-book",
    ARCHIVER_BOOK_KEYS: "k1:archiver-book",
    MYSQL_MIGRATION_URL: "mysql://ovation:m@127.0.0.1:1",
    MYSQL_ADMIN_URL: "mysql://root:r@127.0.0.1:1",
    NATS_ADMIN_URL: "nats://root:r@127.0.0.1:1",
    PAYMENT_NATS_URL: "nats://payment:p@127.0.0.1:1",
    ...logins,
  };

  test.each([
    [["im-server"], []],
    [["notification"], ["MYSQL_URL", "SMS_WEBHOOK_TOKEN"]],
    [["wallet"], ["BOOK_KEYS", "PAY_KEYS", "PLATFORM_KEYS", "WALLET_MYSQL_URL"]],
    [
      ["payment"],
      ["ALIPAY_PRIVATE_KEY", "CASHIER_SECRET", "MYSQL_URL", "PAYMENT_BOOK_KEYS", "PAYMENT_NATS_URL", "PAY_KEYS"],
    ],
    [
      ["gift", "wallet"],
      ["BOOK_KEYS", "GIFT_BOOK_KEYS", "GIFT_KEYS", "GIFT_MYSQL_URL", "PAY_KEYS", "PLATFORM_KEYS", "WALLET_MYSQL_URL"],
    ],
    [
      ["gift", "user"],
      ["GIFT_BOOK_KEYS", "GIFT_KEYS", "GIFT_MYSQL_URL", "MYSQL_URL", "TOKEN_KEYS"],
    ],
  ])("%s", async (services, own) => {
    const env: NodeJS.ProcessEnv = { PATH: "/bin", PROFILE: "local", ...secrets };
    await useNodeEnv(services, stackDir, env);
    expect(Object.keys(env).sort()).toEqual(["PATH", "PROFILE", ...own].sort());
  });

  test("production refuses the secrets of others by name, without their values, and starts with its own", async () => {
    const given = { PROFILE: "production", PATH: "/bin", API_URL: "https://live.example.com" };
    for (const [name, value] of Object.entries(secrets)) {
      const outcome = await useNodeEnv(["im-server"], stackDir, { ...given, [name]: value }).then(
        () => "started",
        (error: Error) => error.message,
      );
      expect(outcome).toMatch(new RegExp(`^A node of im-server must not have .*\n  ${name}: is for `));
      expect(outcome).not.toContain(value);
    }
    const { WALLET_MYSQL_URL, PAY_KEYS } = secrets;
    const env: NodeJS.ProcessEnv = { ...given, WALLET_MYSQL_URL, PAY_KEYS };
    await useNodeEnv(["wallet"], stackDir, env);
    expect(env).toEqual({ PROFILE: "production", PATH: "/bin", WALLET_MYSQL_URL, PAY_KEYS });
  });

  test("an unset profile is production", async () => {
    await expect(useNodeEnv(["gift"], stackDir, { OPERATOR_TOKEN: "t" })).rejects.toThrow(/OPERATOR_TOKEN/);
  });

  test("a given MYSQL_URL is not mixed with kept logins, which may be of another server", async () => {
    await writeStackEnv(stackDir, {
      WALLET_MYSQL_URL: logins.WALLET_MYSQL_URL,
      MYSQL_ADMIN_URL: "mysql://a:b@127.0.0.1:1",
    });
    const keys = keysWith("k1:given", keysOf.wallet);
    const env: NodeJS.ProcessEnv = { PROFILE: "local", MYSQL_URL: "mysql://mine:m@127.0.0.2:1", ...keys };
    await useNodeEnv(["wallet"], stackDir, env);
    expect(env).toEqual({ PROFILE: "local", MYSQL_URL: "mysql://mine:m@127.0.0.2:1", ...keys });
  });
});

describe("every setting", () => {
  const declared = [
    ...providerSettings,
    tokenSettings,
    giftKeySettings,
    payKeySettings,
    platformKeySettings,
    fourEyesSettings,
    retentionSettings,
    ...Object.values(bookSettings),
    webhookKeySettings,
    staffKeySettings,
    webhookSettings,
    adminSettings,
    rankSettings,
    jwtSettings,
    smsLoginSettings,
    gateSettings,
  ].flatMap(({ settings }) => Object.keys(settings));

  test("has services that get it", () => {
    expect([...settingNames, ...declared].filter((name) => processSettings.ownersOf(name) === undefined)).toEqual([]);
  });

  test("that is a key, a token or a password is a secret", () => {
    const plain = [...settingNames, ...declared].filter((name) => !processSettings.isSecret(name));
    expect(plain.filter((name) => /KEY|TOKEN|SECRET|PASSWORD|MYSQL|NATS_(?!CA$)|REDIS/.test(name))).toEqual([]);
  });

  test("MYSQL_URL is for the services with a database", () => {
    const owners = serviceNames.filter((name) => processSettings.belongsTo([name], "MYSQL_URL"));
    expect(owners.sort()).toEqual(serviceNames.filter(hasDatabase).sort());
  });
});

test("the environment of a command has the system's addresses and no keys; what is set comes first", async () => {
  await writeStackEnv(stackDir, { ...keysWith("k1:kept"), API_URL: "http://127.0.0.1:1", PROFILE: "local" });
  const env: NodeJS.ProcessEnv = { ...keysWith("k1:given"), PROFILE: "production" };
  useStackEnv(stackDir, env);
  expect(env).toEqual({ PROFILE: "production", API_URL: "http://127.0.0.1:1" });
});
