import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig as readSettings, serviceUrl, settingNames } from "../../../config/config.ts";
import { namedKeysIn, sampleKey } from "../../../config/named-keys.ts";
import { type BlockSetting, settingsText } from "../../../config/settings-block.ts";
import { traceSettings } from "../../../config/trace-settings.ts";
import { preflightSettings } from "../../../mixins/preflight/accepted.ts";
import { adminSettings } from "../../../services/admin-settings.ts";
import { archiveSettings } from "../../../services/archive-settings.ts";
import { bookSettings, booksReplicaSettings } from "../../../services/book-keys.ts";
import { gatewaySettings, imServerSettings, userSettings } from "../../../services/door-settings.ts";
import { fourEyesSettings } from "../../../services/four-eyes-settings.ts";
import { gateSettings } from "../../../services/gift/gate/gate-settings.ts";
import { jwtSettings } from "../../../services/jwt-settings.ts";
import { alipay as alipayDeclared } from "../../../services/payment/providers/alipay/alipay.ts";
import { providerSettings } from "../../../services/payment/providers/open-providers.ts";
import { rankSettings } from "../../../services/rank-settings.ts";
import { retentionSettings } from "../../../services/retention-settings.ts";
import { giftKeySettings, payKeySettings, platformKeySettings } from "../../../services/signing-keys.ts";
import { smsLoginSettings } from "../../../services/sms-login.ts";
import { staffKeySettings } from "../../../services/staff-keys.ts";
import { tokenSettings } from "../../../services/token-keys.ts";
import { walletServersSettings } from "../../../services/wallet-servers.ts";
import { webhookKeySettings } from "../../../services/webhook-keys.ts";
import { webhookSettings } from "../../../services/webhook-settings.ts";

const servers = {
  NATS_URL: "nats://127.0.0.1:4222",
  REDIS_URL: "redis://127.0.0.1:6379",
  MYSQL_URL: "mysql://u:p@127.0.0.1:3306",
};
const usable = { ...servers, SMS_PROVIDER: "webhook", SMS_WEBHOOK_URL: "https://sms.example/send" };

/** As a node with every service reads them. */
const readConfig = (env: Record<string, string | undefined>) => readSettings(env, providerSettings);

describe("settings", () => {
  test("a usable environment becomes a frozen object with defaults", () => {
    const settings = readConfig(usable);
    expect(settings).toMatchObject({ PROFILE: "production", API_PORT: 8088, IM_PORT: 8086, ANCHOR_SHARE_PERCENT: 50 });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test("every problem is reported at once, by the variable's name", () => {
    expect(() =>
      readConfig({ NATS_URL: "x", REDIS_URL: "x", MYSQL_URL: "x", API_PORT: "99999", ANCHOR_SHARE_PERCENT: "101" }),
    ).toThrow(/NATS_URL[\s\S]*REDIS_URL[\s\S]*MYSQL_URL[\s\S]*API_PORT[\s\S]*ANCHOR_SHARE_PERCENT/);
  });

  describe("a service's own login", () => {
    const before = { ...process.env };
    beforeAll(() => Object.assign(process.env, usable, { LIVING_ROOM_MYSQL_URL: "mysql://room:p@127.0.0.1:3306" }));
    afterAll(() => {
      process.env = before;
    });

    test("is the plain URL, unless the service has one of its own", () => {
      expect(serviceUrl("MYSQL_URL", "living-room")).toBe("mysql://room:p@127.0.0.1:3306");
      expect(serviceUrl("MYSQL_URL", "wallet")).toBe(servers.MYSQL_URL);
      expect(serviceUrl("NATS_URL", "living-room")).toBe(servers.NATS_URL);
    });

    test("that cannot be used is named, without its value", () => {
      process.env.WALLET_NATS_URL = "http://secretpw@127.0.0.1:1";
      expect(() => serviceUrl("NATS_URL", "wallet")).toThrow(/^WALLET_NATS_URL: (?!.*secretpw)/);
    });
  });

  test("the time of the daily reconciliation is a time of day, or off", () => {
    const at = (RECONCILE_AT?: string) => readConfig({ ...usable, RECONCILE_AT }).RECONCILE_AT;
    expect([at(), at("00:00"), at("23:59"), at("off")]).toEqual([37_800_000, 0, 86_340_000, null]);
    for (const odd of ["24:00", "9:30", "10:60", "10:30 ", "never"]) expect(() => at(odd)).toThrow(/RECONCILE_AT/);
  });

  test("ranks are on or off, and their time zone is one", () => {
    const given = (env: Record<string, string>) =>
      readSettings({ ...usable, PROFILE: "local", ...env }, [rankSettings]);
    for (const RANKS of ["on", "off", ""]) expect(() => given({ RANKS, PLATFORM_TIMEZONE: "" })).not.toThrow();
    for (const zone of ["Asia/Shanghai", "UTC", "Europe/Berlin"])
      expect(() => given({ PLATFORM_TIMEZONE: zone })).not.toThrow();
    expect(() => given({ RANKS: "no" })).toThrow(/RANKS/);
    for (const zone of ["Mars/Olympus", "8"])
      expect(() => given({ PLATFORM_TIMEZONE: zone })).toThrow(/PLATFORM_TIMEZONE/);
  });

  test("a value is never printed, since it may be a secret", () => {
    try {
      readConfig({ ...usable, OPERATOR_TOKEN: "hunter2", CASHIER_SECRET: "s3cret" });
      throw new Error("accepted");
    } catch (error) {
      expect((error as Error).message).toContain("OPERATOR_TOKEN");
      expect((error as Error).message).not.toMatch(/hunter2|s3cret/);
    }
  });

  test.each([
    ["the console SMS provider", { SMS_PROVIDER: "console" }, /SMS_PROVIDER/],
    ["a stream of events that holds next to nothing", { EVENTS_MAX_BYTES: "99999999" }, /EVENTS_MAX_BYTES/],
    ["the sandbox cashier", { CASHIER_SECRET: "x".repeat(32) }, /CASHIER_SECRET/],
  ])("production refuses %s", (_what, extra, message) => {
    expect(() => readConfig({ ...usable, ...extra })).toThrow(message);
  });

  test(".env.example documents every setting, and nothing else", () => {
    const text = readFileSync(join(__dirname, "../../../.env.example"), "utf8");
    const documented = text.split("\n").flatMap((line) => /^([A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
    const blocks = [
      preflightSettings,
      ...providerSettings,
      ...[
        tokenSettings,
        giftKeySettings,
        payKeySettings,
        platformKeySettings,
        fourEyesSettings,
        retentionSettings,
        ...Object.values(bookSettings),
        webhookKeySettings,
        staffKeySettings,
        booksReplicaSettings,
        rankSettings,
        archiveSettings,
        jwtSettings,
        smsLoginSettings,
        gateSettings,
        webhookSettings,
        walletServersSettings,
        adminSettings,
        gatewaySettings,
        traceSettings,
      ],
    ];
    const declared = blocks.flatMap(({ settings }) => Object.keys(settings));
    expect(documented.sort()).toEqual([...settingNames, ...declared].sort());
    // The exact lines to put there.
    for (const block of blocks) expect(text).toContain(settingsText(block));
  });

  describe("of a payment channel", () => {
    const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });
    const { privateKey, publicKey } = rsa(2048);
    const secret = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const open = publicKey.export({ type: "spki", format: "pem" }) as string;
    const alipay = {
      ALIPAY_APP_ID: "2021",
      ALIPAY_SELLER_ID: "2088",
      ALIPAY_PRIVATE_KEY: secret,
      ALIPAY_PUBLIC_KEY: open,
    };
    const whole = { ...usable, ...alipay, PAY_NOTIFY_BASE_URL: "https://pay.example" };
    const problemOf = (extra: Record<string, string>) => {
      try {
        readConfig({ ...whole, ...extra });
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };

    test("are usable as a whole, with keys in one line too", () => {
      expect(problemOf({})).toBe("none");
      const { kind } = alipayDeclared.settings.settings.ALIPAY_PRIVATE_KEY as BlockSetting;
      expect(kind.parse(secret.replaceAll("\n", "\\n"))).toBe(secret);
      expect(problemOf({ ALIPAY_PRIVATE_KEY: secret.replaceAll("\n", "\\n") })).toBe("none");
    });

    test("that is half configured are one clear message", () => {
      const message = problemOf({ ALIPAY_SELLER_ID: "", ALIPAY_PUBLIC_KEY: "" });
      expect(message).toContain("Alipay is half configured: ALIPAY_SELLER_ID, ALIPAY_PUBLIC_KEY missing");
      expect(message.split("\n")).toHaveLength(2);
      expect(problemOf({ WECHAT_PAY_MCHID: "1900000001" })).toMatch(/WeChat Pay is half configured: WECHAT_PAY_APPID,/);
    });

    test("that open nothing by themselves may be set alone: the folder of the cashier's bills", () => {
      for (const PROFILE of ["local", "production"])
        expect(problemOf({ PROFILE, CASHIER_SECRET: "", CASHIER_BILL_DIR: "/tmp/bills" })).not.toContain("CASHIER");
    });

    test("that are no URLs are named like every other problem, without their values", () => {
      const message = problemOf({ WECHAT_PAY_BASE_URL: "https://u:secretpw@[bad", NATS_URL: "nats://u:secretpw@[bad" });
      expect(message).toContain("WECHAT_PAY_BASE_URL: ");
      expect(message).toContain("NATS_URL: ");
      expect(message).not.toContain("secretpw");
    });

    test("may name the next platform key of WeChat Pay, with a serial of its own, or nothing of it", () => {
      const wechat = {
        WECHAT_PAY_MCHID: "1900000001",
        WECHAT_PAY_APPID: "wx1",
        WECHAT_PAY_APIV3_KEY: "k".repeat(32),
        WECHAT_PAY_PRIVATE_KEY: secret,
        WECHAT_PAY_SERIAL_NO: "A1",
        WECHAT_PAY_PLATFORM_PUBLIC_KEY: open,
        WECHAT_PAY_PLATFORM_SERIAL: "P1",
      };
      const next = { WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: open, WECHAT_PAY_NEXT_PLATFORM_SERIAL: "P2" };
      expect(problemOf(wechat)).toBe("none");
      expect(problemOf({ ...wechat, ...next })).toBe("none");
      for (const [name, missing] of [
        ["WECHAT_PAY_NEXT_PLATFORM_SERIAL", { WECHAT_PAY_NEXT_PLATFORM_SERIAL: "" }],
        ["WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY", { WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: "" }],
      ] as const)
        expect(problemOf({ ...wechat, ...next, ...missing })).toMatch(new RegExp(`${name}: is missing`));
      expect(problemOf({ ...wechat, ...next, WECHAT_PAY_NEXT_PLATFORM_SERIAL: "P1" })).toMatch(/is the present key's/);
    });

    test.each([
      ["no PEM", { ALIPAY_PRIVATE_KEY: "S3CRET" }, /ALIPAY_PRIVATE_KEY: is no PEM key/],
      [
        "a broken PEM",
        { ALIPAY_PRIVATE_KEY: "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----" },
        /ALIPAY_PRIVATE_KEY: is no private key that can be read/,
      ],
      [
        "a file that is not there",
        { ALIPAY_PRIVATE_KEY: "file:/no/such/S3CRET.pem" },
        /ALIPAY_PRIVATE_KEY: names a file/,
      ],
      ["a public key in its place", { ALIPAY_PRIVATE_KEY: open }, /ALIPAY_PRIVATE_KEY: is no private key/],
      ["a private key for a public one", { ALIPAY_PUBLIC_KEY: secret }, /ALIPAY_PUBLIC_KEY: is a private key/],
      [
        "a short key",
        { ALIPAY_PRIVATE_KEY: rsa(1024).privateKey.export({ type: "pkcs8", format: "pem" }) as string },
        /ALIPAY_PRIVATE_KEY: is no RSA key of 2048 bits/,
      ],
      ["no address for notices", { PAY_NOTIFY_BASE_URL: "" }, /PAY_NOTIFY_BASE_URL: is needed/],
    ])("with %s are refused, and no key is printed", (_what, extra, message) => {
      const problem = problemOf(extra);
      expect(problem).toMatch(message);
      expect(problem).not.toMatch(/S3CRET|BEGIN|MII/);
    });
  });

  describe.each([
    { name: "TOKEN_KEYS", block: tokenSettings, nodes: "user and api-gateway nodes" },
    { name: "GIFT_KEYS", block: giftKeySettings, nodes: "gift nodes" },
    { name: "PAY_KEYS", block: payKeySettings, nodes: "payment and wallet nodes" },
    { name: "WEBHOOK_KEYS", block: webhookKeySettings, nodes: "webhook nodes" },
    { name: "STAFF_KEYS", block: staffKeySettings, nodes: "staff nodes" },
    { name: "PLATFORM_KEYS", block: platformKeySettings, nodes: "platform and wallet nodes" },
  ])("of $name", ({ name, block, nodes }) => {
    const key = (bytes: number) => randomBytes(bytes).toString("base64url");
    const problemOf = (keys: string | undefined, extra: Record<string, string> = {}) => {
      try {
        readSettings({ ...usable, ...extra, [name]: keys }, [block]);
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };

    test("are one key or several, in the variable or in a file", () => {
      expect(problemOf(`k1:${key(32)}`)).toBe("none");
      const two = `k2:${key(64)},k1:${key(32)}`;
      expect(problemOf(two)).toBe("none");
      const file = join(mkdtempSync(join(tmpdir(), "keys-")), "token-keys");
      writeFileSync(file, `${two.replace(",", ",\n")}\n`);
      expect(problemOf(`file:${file}`)).toBe("none");
      expect((block.settings[name] as BlockSetting).kind.parse(`file:${file}`)).toBe(two);
      expect([...namedKeysIn(two).all.keys()]).toEqual(["k2", "k1"]);
      expect(namedKeysIn(two).signing.id).toBe("k2");
      rmSync(dirname(file), { recursive: true });
    });

    test("are needed in every profile by the nodes that read them", () => {
      for (const PROFILE of ["local", "production"]) {
        const message = problemOf("", { PROFILE });
        expect(message).toContain(`${name}: is needed by ${nodes}`);
        expect(message.split("\n")).toHaveLength(2);
      }
    });

    test("are not the demonstration's in production, also not beside another", () => {
      expect(problemOf(sampleKey, { PROFILE: "local" })).toBe("none");
      for (const given of [sampleKey, `k1:${key(32)},${sampleKey}`, `x:${sampleKey.split(":")[1]}`])
        expect(problemOf(given)).toContain(`${name}: must not have the key of the demonstration`);
    });

    test.each([
      ["short keys", `k1:${key(31)}`, /entry 1 has a key of 31 bytes/],
      ["a second key that is short", `k1:${key(32)},k2:${key(16)}`, /entry 2 has a key of 16 bytes/],
      ["huge keys", `k1:${key(257)}`, /entry 1 has a key of 257 bytes/],
      ["no name", key(32), /entry 1 is not NAME:KEY/],
      ["a name with other characters", `k.1:${key(32)}`, /entry 1 is not NAME:KEY/],
      ["two keys of one name", `k1:${key(32)},k1:${key(32)}`, /entry 2 has the name of another key/],
      ["a key in another alphabet", `k1:${"+/".repeat(32)}`, /entry 1 has a key that is not base64url/],
      ["padding", `k1:${key(32)}=`, /entry 1 has a key that is not base64url/],
      ["a trailing comma", `k1:${key(32)},`, /entry 2 is not NAME:KEY/],
      ["a file that is not there", "file:/no/such/S3CRET", /names a file that does not exist/],
      ["nine keys", Array.from({ length: 9 }, (_, at) => `k${at}:${key(32)}`).join(), /has more than 8 keys/],
    ])("with %s are refused, and no key is printed", (_what, given, message) => {
      const problem = problemOf(given);
      expect(problem).toMatch(message);
      for (const [secret = ""] of given.matchAll(/[A-Za-z0-9_-]{20,}/g)) expect(problem).not.toContain(secret);
      expect(problem).not.toContain("S3CRET");
    });
  });

  describe("of servers in clear", () => {
    const problemOf = (extra: Record<string, string>) => {
      try {
        readSettings({ ...usable, ...extra });
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };

    test.each([
      ["NATS by a name", { NATS_URL: "nats://u:s3cret@nats.example.com:4222" }, "NATS_URL", "tls://"],
      ["NATS by a name of one word", { NATS_URL: "nats://u:s3cret@nats:4222" }, "NATS_URL", "tls://"],
      ["NATS by a public address", { NATS_URL: "nats://u:s3cret@203.0.113.7:4222" }, "NATS_URL", "tls://"],
      ["Redis", { REDIS_URL: "redis://:s3cret@[2001:db8::1]:6379" }, "REDIS_URL", "rediss://"],
      ["MySQL", { MYSQL_URL: "mysql://u:s3cret@db.example.com:3306" }, "MYSQL_URL", "?ssl={}"],
      ["MySQL whose TLS is off", { MYSQL_URL: "mysql://u:s3cret@db.example.com/?ssl=false" }, "MYSQL_URL", "?ssl={}"],
      [
        "a service's own MySQL",
        { WALLET_MYSQL_URL: "mariadb://u:s3cret@db.example.com" },
        "WALLET_MYSQL_URL",
        "?ssl={}",
      ],
      ["a service's own NATS", { GIFT_NATS_URL: "nats://u:s3cret@198.51.100.1" }, "GIFT_NATS_URL", "tls://"],
      ["migrations", { MYSQL_MIGRATION_URL: "mysql://u:s3cret@db.example.com" }, "MYSQL_MIGRATION_URL", "?ssl={}"],
      ["people", { NATS_ADMIN_URL: "nats://u:s3cret@nats.example.com" }, "NATS_ADMIN_URL", "tls://"],
      ["people at the bus", { NATS_BUS_ADMIN_URL: "nats://u:s3cret@nats.example.com" }, "NATS_BUS_ADMIN_URL", "tls://"],
      ["people at MySQL", { MYSQL_ADMIN_URL: "mysql://u:s3cret@db.example.com" }, "MYSQL_ADMIN_URL", "?ssl={}"],
      ["an address in other spelling", { NATS_URL: "nats://0x7f000001:4222" }, "NATS_URL", "tls://"],
      ["what has the platform's keys", { JWT_JWKS_URL: "http://jwks.example/keys" }, "JWT_JWKS_URL", "https://"],
      ["what sends login codes", { SMS_WEBHOOK_URL: "http://sms.example/send" }, "SMS_WEBHOOK_URL", "https://"],
    ])("production refuses %s, and says what to set", (_what, extra, name, tls) => {
      const problem = problemOf(extra as Record<string, string>);
      expect(problem).toMatch(new RegExp(`^ {2}${name}: leads in clear to`, "m"));
      expect(problem).toContain(tls);
      expect(problem).toContain("PLAINTEXT_HOSTS");
      expect(problem).not.toContain("s3cret");
      expect(problemOf({ ...(extra as Record<string, string>), PROFILE: "local" })).toBe("none");
    });

    test.each([
      ["with TLS", { NATS_URL: "tls://nats.example.com", REDIS_URL: "rediss://r.example.com" }],
      ["of MySQL with TLS", { MYSQL_URL: 'mysql://u:p@db.example.com:3306/?ssl={"rejectUnauthorized":true}' }],
      ["on this machine", { NATS_URL: "nats://localhost:4222", REDIS_URL: "redis://[::1]:6379" }],
      [
        "in private networks",
        { NATS_URL: "nats://10.1.2.3", REDIS_URL: "redis://[fd00::1]", MYSQL_URL: "mysql://u@172.31.0.9" },
      ],
      [
        "that are named",
        { NATS_URL: "nats://nats:4222", REDIS_URL: "redis://Redis:6379", PLAINTEXT_HOSTS: "nats, redis" },
      ],
      ["that are named by address", { MYSQL_URL: "mysql://u:p@[2001:db8::1]:3306", PLAINTEXT_HOSTS: "2001:db8::1" }],
    ])("production takes servers %s", (_what, extra) => {
      expect(problemOf(extra)).toBe("none");
    });

    test("are named as hosts, not as URLs", () => {
      expect(problemOf({ PLAINTEXT_HOSTS: "nats://nats:4222" })).toMatch(/PLAINTEXT_HOSTS: must list hosts/);
    });
  });

  describe("of nodes that clients connect to", () => {
    const problemOf = (block: typeof gatewaySettings, extra: Record<string, string>) => {
      try {
        readSettings({ ...usable, ...extra }, [block]);
        return "none";
      } catch (error) {
        return (error as Error).message;
      }
    };

    test("production refuses a gateway that nobody can watch, or that does not know its proxies", () => {
      const problem = problemOf(gatewaySettings, {});
      expect(problem).toMatch(/METRICS_TOKEN: is needed .*16 characters/);
      expect(problem).toMatch(/TRUST_PROXY: must be set in production: false where/);
      expect(problemOf(gatewaySettings, { METRICS_TOKEN: "m".repeat(16), TRUST_PROXY: "false" })).toBe("none");
      expect(problemOf(gatewaySettings, { PROFILE: "local" })).toBe("none");
    });

    test("production refuses a gateway at which nobody could log in: no SMS and no JWT", () => {
      const gateway = { METRICS_TOKEN: "m".repeat(16), TRUST_PROXY: "false", SMS_LOGIN: "off" };
      expect(problemOf(gatewaySettings, gateway)).toMatch(/SMS_LOGIN: must not be off .*JWT_ISSUER/);
      expect(problemOf(gatewaySettings, { ...gateway, JWT_ISSUER: "https://platform.example" })).toBe("none");
    });

    test("production refuses a user node that was not told how many SMS a day may cost", () => {
      expect(problemOf(userSettings, {})).toMatch(/SMS_BUDGET_PER_DAY: must be set in production/);
      for (const budget of ["0", "20000"]) expect(problemOf(userSettings, { SMS_BUDGET_PER_DAY: budget })).toBe("none");
      expect(problemOf(userSettings, { SMS_LOGIN: "off" })).toBe("none");
      expect(problemOf(userSettings, { PROFILE: "local" })).toBe("none");
    });

    test("production refuses the password of the demonstration at any server, and prints none", () => {
      const url = (password: string) => `mysql://ovation:${password}@127.0.0.1:3306`;
      const settings = (password: string) => ({
        ...{ WALLET_MYSQL_URL: url(password), MYSQL_MIGRATION_URL: url(password) },
        ...{
          NATS_BUS_ADMIN_URL: `nats://admin:${password}@127.0.0.1:4222`,
          REDIS_URL: `redis://:${password}@127.0.0.1:6379`,
        },
      });
      const problem = problemOf(userSettings, { ...settings("demonstration"), SMS_BUDGET_PER_DAY: "0" });
      for (const name of Object.keys(settings("")))
        expect(problem).toContain(`${name}: must not have the password of the demonstration in production`);
      expect(problem).not.toContain("demonstration@");
      expect(problemOf(userSettings, { ...settings("of-our-own"), SMS_BUDGET_PER_DAY: "0" })).toBe("none");
      expect(problemOf(userSettings, { ...settings("demonstration"), PROFILE: "local" })).toBe("none");
    });

    test("production refuses an im-server that does not know its proxies; a node without clients needs neither", () => {
      expect(problemOf(imServerSettings, {})).toMatch(/TRUST_PROXY: must be set/);
      expect(problemOf(imServerSettings, {})).not.toContain("METRICS_TOKEN");
      expect(problemOf(imServerSettings, { TRUST_PROXY: "1" })).toBe("none");
      expect(() => readSettings(usable)).not.toThrow();
    });
  });

  test("nodes listen on loopback in the local profile, on all addresses in production, and where they are told to", () => {
    const hosts = (extra: Record<string, string>) => {
      const { API_HOST, IM_HOST } = readSettings({ ...usable, ...extra });
      return [API_HOST, IM_HOST];
    };
    expect(hosts({ PROFILE: "local" })).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(hosts({})).toEqual(["0.0.0.0", "0.0.0.0"]);
    expect(hosts({ PROFILE: "local", API_HOST: "0.0.0.0", IM_HOST: "::1" })).toEqual(["0.0.0.0", "::1"]);
  });

  test("allowed origins are a list of origins, and nothing else passes", () => {
    const origins = (text: string) => readConfig({ ...usable, IM_ALLOWED_ORIGINS: text }).IM_ALLOWED_ORIGINS;
    expect(origins("https://a.example, http://b.example:8080")).toEqual(["https://a.example", "http://b.example:8080"]);
    expect(origins("")).toBeUndefined();
    for (const wrong of ["*", "a.example", "https://a.example/", "https://a.example,"])
      expect(() => origins(wrong)).toThrow(/IM_ALLOWED_ORIGINS/);
  });

  test.each([
    ["11", /names more than 10 proxies/],
    ["-1", /entry 1 is no address/],
    ["1.5", /entry 1 is no address/],
    ["yes", /entry 1 is no address/],
    ["TRUE", /entry 1 is no address/],
    ["10.0.0.0/8,", /entry 2 is no address/],
    ["10.0.0.0/8, private", /entry 2 is no address/],
    ["loopback 10.0.0.0/8", /entry 1 is no address/],
    ["__proto__", /entry 1 is no address/],
    ["10.0.0.0/33", /entry 1 has an invalid prefix length/],
    ["::ffff:10.0.0.0/95", /entry 1 has an invalid prefix length/],
    ["::1,fc00::/129", /entry 2 has an invalid prefix length/],
    ["10.0.0.7/8", /entry 1 has bits set after its prefix length/],
    ["0.0.0.0/0", /entry 1 would trust every sender/],
    ["::/0", /entry 1 would trust every sender/],
    ["10.0.0.0/", /entry 1 is no address/],
  ])("TRUST_PROXY %s stops the start and says why", (value, message) => {
    expect(() => readConfig({ ...usable, TRUST_PROXY: value })).toThrow(message);
    expect(() => readConfig({ ...usable, TRUST_PROXY: value })).toThrow(/ {2}TRUST_PROXY: must be false, a number/);
  });

  test("no forwarding header is believed unless TRUST_PROXY names its sender", () => {
    const trusts = (value?: string) => readConfig({ ...usable, TRUST_PROXY: value }).TRUST_PROXY.trusts(undefined, 0);
    expect([undefined, "", "false", "0", "loopback"].map(trusts)).toEqual(Array(5).fill(false));
    expect(["true", "1", "10"].map(trusts)).toEqual(Array(3).fill(true));
  });

  test("an empty variable counts as unset", () => {
    expect(readConfig({ ...usable, OPERATOR_TOKEN: "" }).OPERATOR_TOKEN).toBeUndefined();
  });
});
