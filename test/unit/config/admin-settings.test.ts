import { readConfig } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { adminListener, adminSettings } from "../../../services/admin-settings.ts";

const names = ["PROFILE", ...Object.keys(adminSettings.settings)];
const given = Object.fromEntries(names.map((name) => [name, process.env[name]]));

function listenerWith(env: Record<string, string>) {
  for (const name of names) delete process.env[name];
  Object.assign(process.env, { PROFILE: "local" }, env);
  return adminListener();
}

afterEach(() => {
  for (const name of names)
    if (given[name] === undefined) delete process.env[name];
    else process.env[name] = given[name];
});

test("the staff's listener is on this machine alone, on a port of its own and bounded, unless told otherwise", () => {
  expect(listenerWith({})).toMatchObject({
    ...{ host: "127.0.0.1", port: 8098, search: false, hosts: new Set(["127.0.0.1"]) },
    requestsPerAddressPerMinute: limits.admin.requestsPerAddressPerMinute,
    failuresPerAddressPerMinute: limits.admin.failuresPerAddressPerMinute,
  });
});

test("it knows the names by which browsers come: of its address, its URL and the list", () => {
  const { hosts } = listenerWith({
    ...{ ADMIN_HOST: "10.1.2.3", ADMIN_URL: "https://Staff.example.com:444/x", ADMIN_HOSTS: "one.example, [fd00::1]" },
  });
  expect([...hosts].sort()).toEqual(["10.1.2.3", "fd00::1", "one.example", "staff.example.com"]);
});

test("its cookie is for TLS alone where its URL says that browsers come so", () => {
  const urls = [{}, { ADMIN_URL: "http://10.1.2.3:8098" }, { ADMIN_URL: "https://staff.example.com" }];
  expect(urls.map((env) => listenerWith(env as Record<string, string>).secure)).toEqual([false, false, true]);
});

const production = {
  ...{ PROFILE: "production", SMS_PROVIDER: "webhook", NATS_URL: "nats://127.0.0.1:1" },
  TRUST_PROXY: "false",
};
const problems = (env: Record<string, string>) => () => readConfig({ ...production, ...env }, [adminSettings]);

test("production needs to know whom a limit by address counts, and refuses a token that persons share", () => {
  expect(problems({})).not.toThrow();
  expect(problems({ TRUST_PROXY: "" })).toThrow(/TRUST_PROXY: must be set in production/);
  expect(problems({ OPERATOR_TOKEN: "a-token-of-everybody" })).toThrow(/OPERATOR_TOKEN: must not be set in production/);
});

test.each([
  ["ADMIN_PORT", "70000"],
  ["ADMIN_PORT", "80 98"],
  ["ADMIN_PORT", "-1"],
  ["ADMIN_PORT_SEARCH", "yes"],
  ["ADMIN_URL", "staff.example.com"],
  ["ADMIN_HOSTS", "https://staff.example.com"],
  ["ADMIN_HOSTS", "a,,b"],
  ["ADMIN_REQUESTS_PER_IP_PER_MINUTE", "many"],
  ["ADMIN_FAILURES_PER_IP_PER_MINUTE", "1.5"],
])("%s is refused by its name, without its value: %s", (name, value) => {
  const said = () => {
    try {
      return problems({ [name]: value })();
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(said()).toMatch(new RegExp(`  ${name}: `));
  expect(said()).not.toContain(value);
});
