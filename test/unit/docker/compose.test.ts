import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isServiceName, serviceNames } from "../../../broker/launch.ts";
import { settingNames as ownNames, readConfig as readSettings, serviceUrlName } from "../../../config/config.ts";
import { sampleKey } from "../../../config/named-keys.ts";
import { projectRoot } from "../../../config/root.ts";
import { traceSettings } from "../../../config/trace-settings.ts";
import { preflightSettings } from "../../../mixins/preflight/accepted.ts";
import { databaseServices } from "../../../scripts/databases.ts";
import { processSettings } from "../../../scripts/local-env.ts";
import { natsConfiguration, passwordVariable } from "../../../scripts/nats-config.ts";
import { redisPassword, redisUsers } from "../../../scripts/redis-config.ts";
import { loginName } from "../../../scripts/stack/mysql-logins.ts";
import { adminSettings } from "../../../services/admin-settings.ts";
import { archiveSettings } from "../../../services/archive-settings.ts";
import { bookSettings, booksReplicaSettings } from "../../../services/book-keys.ts";
import { gatewaySettings, imServerSettings, userSettings } from "../../../services/door-settings.ts";
import { fourEyesSettings } from "../../../services/four-eyes-settings.ts";
import { gateSettings } from "../../../services/gift/gate/gate-settings.ts";
import { jwtSettings } from "../../../services/jwt-settings.ts";
import { providerSettings } from "../../../services/payment/providers/open-providers.ts";
import { rankSettings } from "../../../services/rank-settings.ts";
import { redisServices, usesRedis } from "../../../services/redis-access.ts";
import { retentionSettings } from "../../../services/retention-settings.ts";
import { giftKeySettings, payKeySettings, platformKeySettings } from "../../../services/signing-keys.ts";
import { smsLoginSettings } from "../../../services/sms-login.ts";
import { staffKeySettings } from "../../../services/staff-keys.ts";
import { tokenSettings } from "../../../services/token-keys.ts";
import { walletServersSettings } from "../../../services/wallet-servers.ts";
import { webhookKeySettings } from "../../../services/webhook-keys.ts";
import { webhookSettings } from "../../../services/webhook-settings.ts";

interface Container {
  image?: string;
  command?: string[];
  environment?: Record<string, string | null>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas: number };
}
type Containers = Record<string, Container>;
type Env = Record<string, string | undefined>;

const providerNames = providerSettings.flatMap(({ settings }) => Object.keys(settings));
/** The blocks of keys, each with the containers that have them. */
const keyBlocks = [
  { block: tokenSettings, containers: ["user", "api-gateway"] },
  { block: giftKeySettings, containers: ["gift"] },
  { block: payKeySettings, containers: ["payment", "wallet"] },
  { block: platformKeySettings, containers: ["platform", "wallet"] },
  { block: bookSettings.wallet, containers: ["wallet", "auditor"] },
  { block: bookSettings.gift, containers: ["gift", "auditor"] },
  { block: bookSettings.payment, containers: ["payment", "auditor"] },
  { block: bookSettings.auditor, containers: ["auditor"] },
  { block: bookSettings.platform, containers: ["platform", "auditor"] },
  { block: bookSettings.staff, containers: ["staff", "auditor"] },
  { block: bookSettings.archiver, containers: ["archiver", "auditor"] },
  { block: webhookKeySettings, containers: ["webhook"] },
  { block: staffKeySettings, containers: ["staff"] },
].map(({ block, containers }) => ({ block, name: Object.keys(block.settings)[0] as string, containers }));
const keyBlocksOf = (container: string) => keyBlocks.filter(({ containers }) => containers.includes(container));
const otherNames = [
  preflightSettings,
  booksReplicaSettings,
  walletServersSettings,
  rankSettings,
  archiveSettings,
  jwtSettings,
  smsLoginSettings,
  webhookSettings,
  adminSettings,
  gateSettings,
  fourEyesSettings,
  gatewaySettings,
  retentionSettings,
  traceSettings,
].flatMap(({ settings }) => [
  ...Object.keys(settings),
  // The names of the release before, which an environment may still have.
  ...Object.values(settings).flatMap(({ formerly }) => formerly ?? []),
]);
const settingNames = [...ownNames, ...providerNames, ...otherNames, ...keyBlocks.map(({ name }) => name)];
/** The services' passwords at MySQL, which go into URLs. */
const passwords = databaseServices.map((service) => serviceUrlName("MYSQL_URL", service).replace("_URL", "_PASSWORD"));
/** What a node's container gets: the settings of its services, each once. */
const settingsOf = (container: string) =>
  settingNames.filter((setting) => processSettings.belongsTo(runs(base[container]!), setting));
/** As a container's node reads them. */
const readConfig = (env: Env, container = "living-room") =>
  readSettings(env, [
    ...providerSettings,
    ...keyBlocksOf(container).map(({ block }) => block),
    ...(container === "api-gateway" ? [gatewaySettings] : []),
    ...(container.startsWith("im-server") ? [imServerSettings] : []),
    ...(container === "user" ? [userSettings] : []),
    ...(container === "admin-gateway" ? [adminSettings] : []),
  ]);

/** The variables with the passwords of the logins at NATS, as the server's configuration names them. */
const natsPasswords = ["admin", "events", ...serviceNames].map((role) => passwordVariable({ role }));

/** The variables with the passwords at Redis. */
const redisPasswords = [redisPassword(), ...redisServices.map(redisPassword)];

const read = (file: string) => readFileSync(join(projectRoot(), file), "utf8");
const containersOf = (file: string) => (parse(read(file), { merge: true }) as { services: Containers }).services;

const base = containersOf("docker-compose.yml");
const production = containersOf("docker-compose.production.yml");
const files = ["docker-compose.yml", "docker-compose.production.yml"];

/** `${NAME:-default}` and its like, as docker compose fills them in. */
const variable = /\$\{([A-Z_]+)(?:(:?[-?])([^}]*))?\}/g;

function filledIn(text: string, env: Env): string {
  return text.replaceAll(variable, (_whole, name: string, operator?: string, rest = "") => {
    const value = env[name];
    const counts = operator?.startsWith(":") ? value : (value ?? undefined) !== undefined;
    if (counts) return value as string;
    if (operator?.endsWith("?")) throw new Error(`${name}: ${rest}`);
    return rest;
  });
}

/** A container's environment, from the layers of files and the shell's variables. */
function environmentOf(name: string, layers: readonly Containers[], env: Env): Env {
  const merged = Object.assign({}, ...layers.map((layer) => layer[name]?.environment ?? {}));
  return Object.fromEntries(
    Object.entries(merged as Record<string, string | null>).map(([key, value]) => [
      key,
      value === null ? env[key] : filledIn(value, env),
    ]),
  );
}

function failureOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
}

/** What a container runs: `node scripts/node.ts NAME`. */
const runs = ({ command = [] }: Container) => (command[1] === "scripts/node.ts" ? command.slice(2) : []);
const nodes = Object.keys(base).filter((name) => runs(base[name]!).length > 0);
const ours = [...nodes, "migrate"];

describe("docker-compose.yml", () => {
  test("has a container for every service, each running what there is", () => {
    const run = nodes.flatMap((name) => runs(base[name]!));
    expect(new Set(run)).toEqual(new Set(serviceNames));
    for (const name of run) expect(isServiceName(name)).toBe(true);
    expect(base.migrate?.command).toEqual(["node", "scripts/migrate.ts"]);
  });

  test("gives each node the settings and secrets of its services, all but those of one process or one machine, and no others", () => {
    const own = ["NAMESPACE", "NODE_ID", "NODE_LABEL", "API_PORT_SEARCH", "ADMIN_PORT_SEARCH", "LOG_FILE"];
    for (const name of nodes) {
      const names = Object.keys(base[name]?.environment ?? {});
      expect([name, names.sort()]).toEqual([
        name,
        settingsOf(name)
          .filter((setting) => !own.includes(setting))
          .sort(),
      ]);
    }
  });

  test("gives the administrator's login of MySQL to the migrations alone, and each service a login of its own", () => {
    const env = Object.fromEntries([...passwords, "MYSQL_PASSWORD"].map((name, at) => [name, `password-${at}`]));
    const migrations = environmentOf("migrate", [base], env);
    for (const name of nodes) {
      const { MYSQL_URL } = environmentOf(name, [base], env);
      const [service = ""] = runs(base[name]!);
      expect([name, MYSQL_URL]).toEqual([name, migrations[serviceUrlName("MYSQL_URL", service)]]);
      if (MYSQL_URL) expect(new URL(MYSQL_URL).username).toBe(loginName("ovation", service));
    }
    const urls = Object.entries(migrations).filter(([name]) => name.endsWith("_URL"));
    expect(urls.map(([name]) => name).sort()).toEqual(
      ["MYSQL_MIGRATION_URL", ...databaseServices.map((service) => serviceUrlName("MYSQL_URL", service))].sort(),
    );
    expect(new Set(urls.map(([, url]) => new URL(url as string).password)).size).toBe(urls.length);
  });

  test.each(files)(
    "%s asks for no variable that .env.example does not explain, but the passwords of MySQL, NATS and Redis",
    (file) => {
      const asked = [...read(file).matchAll(variable)].map(([, name]) => name as string);
      expect(asked.length).toBeGreaterThan(0);
      // TRUST_PROXY of one container, which docs/staff.md explains.
      const others = ["MYSQL_PASSWORD", "ADMIN_TRUST_PROXY"];
      const known = [...settingNames, ...passwords, ...natsPasswords, ...redisPasswords, ...others];
      expect(asked.filter((name) => !known.includes(name))).toEqual([]);
    },
  );

  test("gives each node the login of its service at NATS, which the server knows by the same password", () => {
    const env = Object.fromEntries(natsPasswords.map((name, at) => [name, `password-${at}`]));
    const known = environmentOf("nats", [base], env);
    expect(Object.keys(known).sort()).toEqual([...natsPasswords].sort());
    for (const name of nodes) {
      const url = new URL(environmentOf(name, [base], env).NATS_URL as string);
      const [service = ""] = runs(base[name]!);
      expect([name, url.username, url.password]).toEqual([name, service, known[passwordVariable({ role: service })]]);
    }
    expect(new Set(Object.values(known)).size).toBe(natsPasswords.length);
  });

  test("gives each node that uses Redis the login of its service, which the server has with the rights of the table", () => {
    const env = Object.fromEntries(redisPasswords.map((name, at) => [name, `password-${at}`]));
    for (const name of nodes) {
      const [service = ""] = runs(base[name]!);
      const { REDIS_URL } = environmentOf(name, [base], env);
      const own = `redis://${service}:${env[redisPassword(service)]}@redis:6379`;
      expect([name, REDIS_URL]).toEqual([name, usesRedis(service) ? own : undefined]);
    }
    expect(environmentOf("redis", [base], env)).toEqual(env);
    expect(read("docker/redis-users.conf")).toBe(redisUsers());
  });

  test("the server's configuration is what npm run nats-config prints of the table of rights", () => {
    expect(read("docker/nats.conf")).toBe(natsConfiguration());
  });

  test("comes up as a demonstration without a single variable set", () => {
    for (const name of ours) {
      const env = environmentOf(name, [base], {});
      expect(readConfig(env, name)).toMatchObject({ PROFILE: "local", NAMESPACE: "ovation" });
      expect(env.SMS_PROVIDER).toBe(name === "notification" ? "console" : undefined);
      for (const { name: keys, containers } of keyBlocks)
        expect([keys, env[keys]]).toEqual([keys, containers.includes(name) ? sampleKey : undefined]);
      expect(Boolean(env.CASHIER_SECRET)).toBe(name === "payment");
    }
  });

  test("MySQL knows the user and the password that the migrations come with", () => {
    for (const env of [{}, { MYSQL_PASSWORD: "another-1" }]) {
      const url = new URL(readConfig(environmentOf("migrate", [base], env)).MYSQL_MIGRATION_URL as string);
      const { MYSQL_USER, MYSQL_PASSWORD } = environmentOf("mysql", [base], env);
      expect([url.username, url.password, url.hostname]).toEqual([MYSQL_USER, MYSQL_PASSWORD, "mysql"]);
    }
    expect(read("docker/mysql-grant.sql")).toContain(`TO '${base.mysql?.environment?.MYSQL_USER}'@`);
  });

  test("every container is checked, and every node has time to stop", () => {
    for (const name of Object.keys(base).filter((container) => container !== "migrate"))
      expect([name, base[name]?.healthcheck?.test.length]).not.toEqual([name, undefined]);
    for (const name of nodes) {
      const [, node, script, checked, url] = base[name]?.healthcheck?.test ?? [];
      expect([node, script, [checked]]).toEqual(["node", "scripts/health.ts", runs(base[name]!)]);
      expect(URL.canParse(url!)).toBe(true);
      expect(base[name]?.stop_grace_period).toBe("30s");
    }
  });

  test("nodes start once the servers answer and the databases are migrated", () => {
    for (const name of nodes)
      expect(base[name]?.depends_on).toEqual({
        ...Object.fromEntries(["nats", "redis", "mysql"].map((server) => [server, { condition: "service_healthy" }])),
        migrate: { condition: "service_completed_successfully" },
      });
    expect(base.migrate?.depends_on).toEqual({ mysql: { condition: "service_healthy" } });
  });

  test("im-servers are reached by the port they tell clients, each by its own, and none has replicas to share it", () => {
    const servers = nodes.filter((name) => runs(base[name]!).includes("im-server"));
    const ports = servers.map((name) => readConfig(environmentOf(name, [base], {})).IM_PORT);
    expect(new Set(ports).size).toBe(servers.length);
    for (const [at, name] of servers.entries()) {
      expect(base[name]?.ports).toEqual([`${ports[at]}:${ports[at]}`]);
      expect(base[name]?.deploy).toBeUndefined();
    }
  });

  test("containers listen on all their addresses, or nobody could come to their published ports", () => {
    for (const name of nodes) {
      const { API_HOST, IM_HOST } = readConfig(environmentOf(name, [base], {}), name);
      if (name === "api-gateway") expect(API_HOST).toBe("0.0.0.0");
      if (name.startsWith("im-server")) expect(IM_HOST).toBe("0.0.0.0");
    }
  });

  test("nothing but gateways and im-servers is reached from outside, and the staff's listener from this machine alone", () => {
    const published = Object.keys(base).filter((name) => base[name]?.ports);
    expect(published).toEqual(["api-gateway", "im-server-1", "im-server-2", "admin-gateway"]);
    expect(base["admin-gateway"]?.ports).toEqual(["127.0.0.1:8098:8098"]);
  });

  test("mounts files that there are", () => {
    const mounted = Object.values(base).flatMap(({ volumes = [] }) =>
      volumes.filter((volume) => volume.startsWith("./")),
    );
    expect(mounted.length).toBe(3);
    for (const volume of mounted) expect(existsSync(join(projectRoot(), volume.split(":")[0]!))).toBe(true);
  });
});

describe("docker-compose.production.yml", () => {
  const given = {
    MYSQL_PASSWORD: "a-password",
    SMS_WEBHOOK_URL: "https://sms.example.com/send",
    SMS_BUDGET_PER_DAY: "20000",
    API_URL: "https://live.example.com",
    PAY_NOTIFY_BASE_URL: "https://pay.example.com",
    IM_PUBLIC_URL: "wss://im.example.com:{port}/im",
    METRICS_TOKEN: "a-token-of-metrics",
    TRUST_PROXY: "1",
    ADMIN_TRUST_PROXY: "false",
    PREFLIGHT_ACCEPT: "nats.replicas",
    TOKEN_KEYS: `k1:${"k".repeat(43)}`,
    ...Object.fromEntries(passwords.map((name) => [name, `password-of-${name.toLowerCase()}`])),
    GIFT_KEYS: `k1:${"g".repeat(42)}A`,
    PAY_KEYS: `k1:${"p".repeat(42)}A`,
    PLATFORM_KEYS: `k1:${"q".repeat(42)}A`,
    BOOK_KEYS: `k1:${"b".repeat(42)}A`,
    GIFT_BOOK_KEYS: `k1:${"c".repeat(42)}A`,
    PAYMENT_BOOK_KEYS: `k1:${"d".repeat(42)}A`,
    AUDITOR_BOOK_KEYS: `k1:${"e".repeat(42)}A`,
    PLATFORM_BOOK_KEYS: `k1:${"f".repeat(42)}A`,
    WEBHOOK_KEYS: `k1:${"h".repeat(42)}A`,
    STAFF_KEYS: `k1:${"j".repeat(42)}A`,
    STAFF_BOOK_KEYS: `k1:${"i".repeat(42)}A`,
    ARCHIVER_BOOK_KEYS: `k1:${"k".repeat(42)}A`,
    ...Object.fromEntries(
      [...natsPasswords, ...redisPasswords].map((name) => [name, `password-of-${name.toLowerCase()}`]),
    ),
  };

  test("lets the staff's listener trust proxies of its own, none that are in front of the users' gateway alone", () => {
    const trusted = ["api-gateway", "admin-gateway"].map(
      (name) => environmentOf(name, [base, production], given).TRUST_PROXY,
    );
    expect(trusted).toEqual(["1", "false"]);
    expect(environmentOf("admin-gateway", [base], { TRUST_PROXY: "1" }).TRUST_PROXY).toBe("");
  });

  test("lays production settings over every node, which accept them", () => {
    for (const name of ours) {
      const env = environmentOf(name, [base, production], given);
      const settings = readConfig(env, name);
      expect(settings.PROFILE).toBe("production");
      expect(env.SMS_PROVIDER).toBe(name === "notification" ? "webhook" : undefined);
      expect(env.OPERATOR_TOKEN).toBe(name === "staff" || name === "admin-gateway" ? "" : undefined);
      expect(env.CASHIER_SECRET).toBe(name === "payment" ? "" : undefined);
      for (const { name: keys, containers } of keyBlocks)
        expect([keys, env[keys]]).toEqual([keys, containers.includes(name) ? given[keys as never] : undefined]);
      const own = new RegExp(`^mysql://ovation_${name.replace("-", "_")}:password-of-[a-z_]+@mysql:3306$`);
      if (settings.MYSQL_URL !== "") expect(settings.MYSQL_URL).toMatch(own);
      expect(JSON.stringify(env)).not.toContain("demonstration");
    }
    expect(Object.keys(production).filter((name) => !(name in base))).toEqual([]);
  });

  test("without this file, no node accepts the passwords of the demonstration in production, and names each", () => {
    const others = Object.fromEntries(
      Object.entries(given).filter(([name]) => name !== "MYSQL_PASSWORD" && !passwords.includes(name)),
    );
    for (const name of ours) {
      const env = environmentOf(name, [base], { ...others, PROFILE: "production", SMS_PROVIDER: "webhook" });
      const logins = Object.keys(env).filter(
        (variable) => /MYSQL.*_URL$/.test(variable) && env[variable] !== undefined,
      );
      const refused = () => readConfig(env, name);
      for (const variable of logins) expect(refused).toThrow(`${variable}: must not have the password of the demonstr`);
      const all = { ...env, ...environmentOf(name, [base], { PROFILE: "production", SMS_PROVIDER: "webhook" }) };
      expect([name, failureOf(() => readConfig(all, name))]).toEqual([
        name,
        expect.stringMatching(
          name === "migrate" ? /MYSQL_MIGRATION_URL: must not/ : /NATS_URL: must not have the pass/,
        ),
      ]);
    }
  });

  test.each(Object.keys(given))("does not come up without %s, and says what it is for", (name) => {
    const without = { ...given, [name]: "" };
    const all = () =>
      [...ours, "mysql", "nats", "redis"].map((container) => environmentOf(container, [base, production], without));
    expect(all).toThrow(new RegExp(`^${name}: .{20}`));
  });
});

describe("Dockerfile", () => {
  const text = read("Dockerfile");

  test("copies every folder that a node reads, and the context holds them", () => {
    const ignore = read(".dockerignore").split("\n");
    for (const folder of ["broker", "config", "mixins", "public", "scripts", "services"]) {
      expect(text).toContain(`COPY ${folder} ./${folder}`);
      expect(ignore).toContain(`!${folder}`);
    }
  });

  test("installs by the lock file without development packages, and runs as nobody in particular", () => {
    expect(text).toMatch(/^FROM node:24-slim$/m);
    expect(text).toContain("npm ci --omit=dev");
    expect(text.indexOf("USER node")).toBeGreaterThan(text.indexOf("npm ci"));
  });
});
