import { readConfig } from "../../../config/config.ts";
import { plaintextServers } from "../../../config/plaintext.ts";
import { sampleLogins } from "../../../config/sample-passwords.ts";
import { addressOf, placesOf, sentinelsOf, serversOf, serverUrl, withLogin } from "../../../config/server-urls.ts";

const usable = {
  NATS_URL: "nats://u:p@127.0.0.1:1",
  REDIS_URL: "redis://127.0.0.1",
  MYSQL_URL: "mysql://u:p@127.0.0.1",
};

const hrefs = (value: string) => serversOf(value).map(({ href }) => href);
const many = (count: number) => Array.from({ length: count }, (_one, at) => `h${at}`).join(",");

describe("a URL names one server or several", () => {
  test.each<[string, string[]]>([
    ["nats://u:p@a:1", ["nats://u:p@a:1"]],
    ["nats://u:p@a:1/,nats://u:p@b/", ["nats://u:p@a:1/", "nats://u:p@b/"]],
    [" tls://u:p@a:1 , tls://u:p@b:2 ", ["tls://u:p@a:1", "tls://u:p@b:2"]],
    ["nats://u:p,w@a:1,nats://u:p,w@b:1", ["nats://u:p,w@a:1", "nats://u:p,w@b:1"]],
    ["nats://[::1]:4222,nats://[2001:db8::1]", ["nats://[::1]:4222", "nats://[2001:db8::1]"]],
    ["mysql://u:p@a:1,b,c:3", ["mysql://u:p@a:1", "mysql://u:p@b", "mysql://u:p@c:3"]],
    ["mysql://u:p,w@a:1, b:2/?ssl={}", ["mysql://u:p,w@a:1/?ssl={}", "mysql://u:p,w@b:2/?ssl={}"]],
    ["mariadb://u:%40%2C@[::1]:3306,b", ["mariadb://u:%40%2C@[::1]:3306", "mariadb://u:%40%2C@b"]],
    ["redis-sentinel://:p@a,b:7/main", ["redis-sentinel://:p@a/main", "redis-sentinel://:p@b:7/main"]],
    ["rediss://u:p@a/3", ["rediss://u:p@a/3"]],
  ])("%s", (value, expected) => {
    expect(hrefs(value)).toEqual(expected);
  });

  test("a missing port is the scheme's own, and an IPv6 address has no brackets", () => {
    const places = ["nats://[::1]", "mysql://a", "redis://a", "redis-sentinel://a/m", "mysql://a:7"];
    expect(places.map((place) => addressOf(serversOf(place)[0]))).toEqual([
      { host: "::1", port: 4222 },
      { host: "a", port: 3306 },
      { host: "a", port: 6379 },
      { host: "a", port: 26379 },
      { host: "a", port: 7 },
    ]);
    expect(placesOf("nats://u:p@a,nats://u:p@[::1]:7")).toBe("a:4222,[::1]:7");
  });
});

describe("refused, and said without the password", () => {
  test.each([
    ["", /no URL/],
    ["secretpw", /no URL/],
    ["nats://", /no URL|without a host/],
    ["nats://u:secretpw@a,,nats://u:secretpw@b", /nothing at place 2/],
    ["nats://u:secretpw@a,", /nothing at place 2/],
    ["nats://u:secretpw@a,nats://u:secretpw@b,", /nothing at place 3/],
    [",nats://u:secretpw@a", /nothing at place 1/],
    ["nats://u:secretpw@a:1,b:2", /no URL/],
    ["nats://u:secretpw@a,b", /without a host/],
    ["nats://u:secretpw@a,nats://v:secretpw@b", /different logins/],
    ["nats://u:secretpw@a,nats://u:other@b", /different logins/],
    ["nats://u:secretpw@a,nats://b", /different logins/],
    ["nats://u:secretpw@a,tls://u:secretpw@b", /mixes nats:/],
    ["nats://u:secretpw@a,nats://u:secretpw@A:4222", /one server twice/],
    ["nats://u:secretpw@a/x,nats://u:secretpw@b", /behind the port/],
    ["nats://u:secretpw@a:99999", /no URL/],
    ["mysql://u:secretpw@a,,b", /nothing at place 2/],
    ["mysql://u:secretpw@a,b,", /nothing at place 3/],
    ["mysql://u:secretpw@", /no URL|without a host/],
    ["mysql://u:secretpw@a:1,b:2,a:1", /one server twice/],
    ["mysql://u:secretpw@a b", /no URL|without a host/],
    ["mysql://u:secretpw@[::1,b", /no URL at place 1/],
    ["redis://u:secretpw@a,b", /use redis-sentinel:/],
    ["redis-sentinel://u:secretpw@a,b", /name of the master/],
    ["redis-sentinel://u:secretpw@a,b/", /name of the master/],
    ["redis-sentinel://u:secretpw@a/m/0", /name of the master/],
    ["redis-sentinel://u:secretpw@a/m?db=1", /parameters/],
    [`mysql://u:secretpw@${many(17)}`, /names 17 servers/],
    [`mysql://u:secretpw@a/${"x".repeat(5_000)}`, /longer than 4096/],
  ])("%s", (value, message) => {
    expect(() => serversOf(value)).toThrow(message);
    expect(() => serversOf(value)).toThrow(/^(?!.*secretpw)/);
  });

  test("sixteen servers are not too many", () => {
    expect(serversOf(`mysql://u:p@${many(16)}`)).toHaveLength(16);
  });

  test("each setting has its schemes", () => {
    const isValid = (kind: keyof typeof serverUrl, value: string) => serverUrl[kind].safeParse(value).success;
    expect(isValid("NATS_URL", "nats://a,nats://b")).toBe(true);
    expect(isValid("NATS_URL", "mysql://a,b")).toBe(false);
    expect(isValid("MYSQL_URL", "redis-sentinel://a/m")).toBe(false);
    expect(isValid("REDIS_URL", "rediss-sentinel://a,b/m?sentinelPassword=x")).toBe(true);
    expect(isValid("REDIS_URL", "nats://a")).toBe(false);
  });

  test("the start names the variable and what is wrong with its list", () => {
    const NATS_URL = "nats://u:secretpw@127.0.0.1,nats://v:secretpw@127.0.0.2";
    expect(() => readConfig({ ...usable, NATS_URL })).toThrow(/NATS_URL: has different logins(?![\s\S]*secretpw)/);
  });
});

test("the URL of sentinels has the login of Redis, and may have one of the sentinels", () => {
  expect(sentinelsOf("redis://u:p@a")).toBeUndefined();
  expect(sentinelsOf("redis-sentinel://us%3Aer:p%40w@a,[::1]:7/main")).toEqual({
    sentinels: [
      { host: "a", port: 26379 },
      { host: "::1", port: 7 },
    ],
    ...{ name: "main", username: "us:er", password: "p@w", tls: false },
    ...{ sentinelUsername: undefined, sentinelPassword: undefined },
  });
  expect(sentinelsOf("rediss-sentinel://a/m?sentinelPassword=x%26y")).toMatchObject({
    ...{ username: "", password: "", tls: true, sentinelPassword: "x&y" },
  });
});

test("another login reaches the same servers", () => {
  const login = { username: "o:wn", password: "a@b" };
  const own = (value: string) => withLogin(value, login);
  expect(own("nats://u:p@a:1,nats://u:p@b:2")).toBe("nats://o%3Awn:a%40b@a:1,nats://o%3Awn:a%40b@b:2");
  expect(own("mysql://root:p@a:1,b/?ssl={}")).toBe("mysql://o%3Awn:a%40b@a:1,b/?ssl={}");
  expect(own("mysql://a:1,[::1]:2")).toBe("mysql://o%3Awn:a%40b@a:1,[::1]:2");
  expect(own("redis-sentinel://:p@a,b:7/main")).toBe("redis-sentinel://o%3Awn:a%40b@a,b:7/main");
  for (const value of ["nats://a,nats://b", "mysql://a,b", "redis-sentinel://a,b/m"])
    expect(decodeURIComponent(serversOf(own(value))[1]?.password ?? "")).toBe("a@b");
});

describe("in production", () => {
  const inClear = (name: string, value: string, accepted: string[] = []) =>
    plaintextServers({ [name]: value }, accepted).map(({ host }) => host);

  test("every server of a list that is reached in clear on the open network is reported", () => {
    expect(inClear("NATS_URL", "nats://u:p@10.0.0.1,nats://u:p@8.8.8.8,nats://u:p@x.example")).toEqual([
      "8.8.8.8",
      "x.example",
    ]);
    expect(inClear("WALLET_MYSQL_URL", "mysql://u:p@127.0.0.1,db.example:7", ["db.example"])).toEqual([]);
    expect(inClear("MYSQL_URL", "mysql://u:p@8.8.8.8,9.9.9.9/?ssl={}")).toEqual([]);
    expect(inClear("REDIS_URL", "redis-sentinel://s.example,10.0.0.1/m")).toEqual(["s.example"]);
    expect(inClear("REDIS_URL", "rediss-sentinel://s.example/m")).toEqual([]);
    expect(inClear("NATS_ADMIN_URL", "tls://u:p@8.8.8.8,tls://u:p@8.8.4.4")).toEqual([]);
    const env = { ...usable, PROFILE: "production", MYSQL_URL: "mysql://u:p@127.0.0.1,db.example" };
    expect(() => readConfig(env)).toThrow(/MYSQL_URL: leads in clear to db\.example/);
  });

  test("the password of the demonstration is found in a list, and at sentinels", () => {
    const found = (value: string) => sampleLogins("production", { REDIS_URL: value }).length;
    expect(found("redis-sentinel://u:demonstration@a,b/m")).toBe(1);
    expect(found("redis-sentinel://u:p@a,b/m?sentinelPassword=demonstration")).toBe(1);
    expect(found("redis-sentinel://u:p@a,b/m")).toBe(0);
  });
});
