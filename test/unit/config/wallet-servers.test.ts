import { furtherServers, urlAt, walletServers } from "../../../services/wallet-servers.ts";

const before = { ...process.env };
const own = "mysql://wallet:secret%40@db1:3306";
const use = (value: string) => Object.assign(process.env, { WALLET_MYSQL_URLS: value });

beforeEach(() => {
  Object.assign(process.env, { MYSQL_URL: own, SMS_PROVIDER: "console", PROFILE: "local", NAMESPACE: "unit" });
});
afterAll(() => {
  process.env = before;
});

describe("WALLET_MYSQL_URLS", () => {
  test("names servers; unset there is one, without a name", () => {
    delete process.env.WALLET_MYSQL_URLS;
    expect(walletServers()).toBeUndefined();
    expect(furtherServers("wallet")).toEqual([]);
  });

  test("has the one called home first, else the first; a URL may name several hosts", () => {
    use("b=mysql://db2:3306,db3:3306/?ssl={},home=mysql://db1:3306");
    expect(walletServers()).toEqual([
      { name: "home", url: "mysql://db1:3306" },
      { name: "b", url: "mysql://db2:3306,db3:3306/?ssl={}" },
    ]);
    use("a=mysql://db1:3306,b=mysql://db2:3306");
    expect(walletServers()?.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("a URL without a login is used with the service's own, one with a login with that", () => {
    expect(urlAt({ name: "b", url: "mysql://db2:3306" }, own)).toBe("mysql://wallet:secret%40@db2:3306");
    expect(urlAt({ name: "b", url: "mysql://u:p@db2:3306" }, own)).toBe("mysql://u:p@db2:3306");
  });

  test("is refused where home is another server than MYSQL_URL: nodes must agree on what is where", () => {
    use("home=mysql://db9:3306,b=mysql://db2:3306");
    expect(() => furtherServers("wallet")).toThrow(/home is not the server of MYSQL_URL/);
  });

  test("is refused in production where a URL leads in clear to another network", () => {
    Object.assign(process.env, { PROFILE: "production", MYSQL_URL: "mysql://w:p@127.0.0.1:3306" });
    Object.assign(process.env, { SMS_PROVIDER: "webhook", SMS_WEBHOOK_URL: "https://sms.example/send" });
    use("home=mysql://127.0.0.1:3306,b=mysql://db2.example:3306");
    expect(() => walletServers()).toThrow(/WALLET_MYSQL_URLS: leads in clear to db2\.example/);
  });

  test("is refused in production with a login in it, which is not quoted: each service has its own", () => {
    Object.assign(process.env, { PROFILE: "production", MYSQL_URL: "mysql://w:p@127.0.0.1:3306" });
    Object.assign(process.env, { SMS_PROVIDER: "webhook", SMS_WEBHOOK_URL: "https://sms.example/send" });
    use("home=mysql://root:hidden@127.0.0.1:3306");
    expect(() => walletServers()).toThrow(/WALLET_MYSQL_URLS: has a login in the URL of home: /);
    expect(() => walletServers()).not.toThrow(/hidden/);
  });

  test.each([
    ["no name", "mysql://db1:3306", /entry 1 is not NAME=URL/],
    ["a name that is too long", "home=mysql://db1:3306,abcdefghijklm=mysql://db2:3306", /usable URL|NAME=URL/],
    ["another kind of URL", "home=redis://db1:6379", /entry 1 has no usable URL/],
    ["one name twice", "a=mysql://db1:3306,a=mysql://db2:3306", /one name twice/],
    ["one server twice", "a=mysql://db1:3306,b=mysql://u:p@db1:3306", /one server twice/],
  ])("is refused with %s, and no value is quoted", (_what, value, message) => {
    use(value);
    expect(() => walletServers()).toThrow(message);
  });
});
