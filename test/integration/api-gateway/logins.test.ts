import { request as httpRequest, type IncomingMessage } from "node:http";
import type { ServiceBroker } from "moleculer";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { dropKeys } from "../../../scripts/drop-namespace.ts";
import type { Gateway } from "../../../services/api-gateway/gateway.ts";
import notification from "../../../services/notification/notification.service.ts";
import type { RowFeed } from "../../../services/row-feed.ts";
import type { Revocation } from "../../../services/user/user.contract.ts";
import user from "../../../services/user/user.service.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { letsIn, neighbourNames, send, startGateway, startNeighbours } from "./neighbours.ts";

/**
 * Logins and revocations across nodes: two gateways and a user node, each a broker of its own. The user node reaches
 * its database by way of a server that the test can take away.
 */

jest.setTimeout(90_000);

let mysql: CuttableServer;
let users: ServiceBroker;
let gateways: { broker: ServiceBroker; base: string }[];

beforeAll(async () => {
  mysql = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = mysql.url;
  users = await startNode("users", [user, notification]);
  await startNeighbours(neighbourNames.filter((name) => name !== "user" && name !== "notification"));
  gateways = [await startGateway(), await startGateway()];
});
afterAll(async () => {
  // The stop waits for statements: connections that hang are broken.
  mysql.cut();
  mysql.mend();
  await stopAll();
  await mysql.close();
});

const at = (gateway: 0 | 1) => gateways[gateway] as { broker: ServiceBroker; base: string };
const post = (gateway: 0 | 1, path: string, token?: string, body: object = {}) =>
  send(`${at(gateway).base}/live/api/${path}`, { body, headers: token ? { Authorization: `Bearer ${token}` } : {} });
const statusAt = async (gateway: 0 | 1, token: string) => (await post(gateway, "bank/income", token)).status;
const both = async (token: string) => [await statusAt(0, token), await statusAt(1, token)];

const revocationsOf = (gateway: 0 | 1) =>
  (at(gateway).broker.getLocalService("api-gateway") as unknown as { revocations: RowFeed<Revocation> }).revocations;

let phones = 0;
const newPhone = () => `136${String(++phones).padStart(8, "0")}`;
async function login(phone = newPhone(), gateway: 0 | 1 = 0): Promise<string> {
  const sent = await post(gateway, "userLogin/sendLoginCode", undefined, { phone });
  const { devCode: code } = sent.data as { devCode: string };
  return ((await post(gateway, "userLogin/login", undefined, { phone, code })).data as { token: string }).token;
}

const refusedAt = (gateway: 0 | 1, token: string, withinMs?: number) =>
  eventually("refused", async () => (await statusAt(gateway, token)) === 401, withinMs);
/** A gateway that reads revocations as often as it should is in time by far, also on a machine that stalls. */
const soonMs = limits.user.feedStaleMs / 2;

test("a token that one node signed is a login on every gateway, without a call", async () => {
  expect(await both(await login())).toEqual([200, 200]);
});

test("after logout the token is refused by its gateway at once and by the other within a second; the user's other tokens stay valid", async () => {
  const phone = newPhone();
  const [ended, other] = [await login(phone, 0), await login(phone, 1)];
  expect((await post(0, "userLogin/logout", ended)).code).toBe(200);
  expect(await statusAt(0, ended)).toBe(401);
  await refusedAt(1, ended, soonMs);
  expect(await both(other)).toEqual([200, 200]);
});

test.each(["logout", "logoutAll"])(
  "%s holds on the other gateway within a second where its broadcast is lost",
  async (path) => {
    const token = await login();
    const lost = jest.spyOn(users, "broadcast").mockResolvedValue(undefined as never);
    try {
      expect((await post(0, `userLogin/${path}`, token)).code).toBe(200);
      expect(await statusAt(0, token)).toBe(401);
      await refusedAt(1, token, soonMs);
      expect(lost).toHaveBeenCalledTimes(1);
    } finally {
      lost.mockRestore();
    }
  },
);

test("logout succeeds, and the other gateway refuses the token, where its broadcast fails", async () => {
  const token = await login();
  const failing = jest.spyOn(users, "broadcast").mockRejectedValue(new Error("the bus is away"));
  expect((await post(0, "userLogin/logout", token)).code).toBe(200);
  failing.mockRestore();
  await refusedAt(1, token);
});

test("a request whose token is revoked while its body comes is refused", async () => {
  const token = await login();
  const body = "{}";
  const headers = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    "Content-Length": body.length,
  };
  const request = httpRequest(`${at(0).base}/live/api/bank/income`, { method: "POST", headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  const authenticate = jest.spyOn(
    (at(0).broker.getLocalService("api-gateway") as unknown as Gateway).logins,
    "authenticate",
  );
  request.write(body.slice(0, 1));
  await eventually("the request is let in", async () => authenticate.mock.calls.length > 0);
  authenticate.mockRestore();
  expect((await post(0, "userLogin/logout", token)).code).toBe(200);
  request.end(body.slice(1));
  const response = await answered;
  expect(response.statusCode).toBe(401);
  response.resume();
});

test("a gateway whose own copy of the revocations is too old is not ready, and the others are", async () => {
  const status = async (gateway: 0 | 1) => (await send(`${at(gateway).base}/health/ready`, { method: "GET" })).status;
  await eventually("both are ready", async () => (await status(0)) === 200 && (await status(1)) === 200);
  const old = jest.spyOn(revocationsOf(0), "isCurrent", "get").mockReturnValue(false);
  try {
    await eventually("not ready", async () => (await status(0)) === 503);
    await eventually("the other one is ready", async () => (await status(1)) === 200);
  } finally {
    old.mockRestore();
  }
  await eventually("ready again", async () => (await status(0)) === 200);
});

test("logoutAll ends all tokens of the user on every gateway, and none that a login gives right afterwards", async () => {
  const phone = newPhone();
  const tokens = [await login(phone, 0), await login(phone, 1)];
  const stranger = await login();
  expect((await post(1, "userLogin/logoutAll", tokens[0])).code).toBe(200);
  const after = await login(phone, 0);
  for (const token of tokens) await refusedAt(0, token);
  for (const token of tokens) expect(await both(token)).toEqual([401, 401]);
  expect([...(await both(after)), ...(await both(stranger))]).toEqual([200, 200, 200, 200]);
  // A revoked token cannot revoke anything.
  expect((await post(0, "userLogin/logoutAll", tokens[1])).status).toBe(401);
  expect((await post(0, "userLogin/logout", tokens[1])).code).toBe(200);
  expect(await both(after)).toEqual([200, 200]);
});

test("the login beyond the bound ends the oldest one on every gateway", async () => {
  const phone = newPhone();
  const tokens: string[] = [];
  for (let n = 0; n <= limits.user.tokensPerUser; n++) tokens.push(await login(phone));
  const [oldest, ...others] = tokens as [string, ...string[]];
  await refusedAt(0, oldest);
  await refusedAt(1, oldest);
  for (const token of others) expect(await statusAt(1, token)).toBe(200);
});

test("a Redis that is wiped logs nobody out and makes no revoked token valid", async () => {
  const [lives, ended] = [await login(), await login()];
  await post(0, "userLogin/logout", ended);
  await refusedAt(1, ended);
  await dropKeys(config().NAMESPACE, config().REDIS_URL);
  expect([...(await both(lives)), ...(await both(ended))]).toEqual([200, 200, 401, 401]);
});

test("after a restart of everything tokens are logins as they were, and revoked ones stay revoked from the first request on", async () => {
  const phone = newPhone();
  const [lives, ended, all] = [await login(), await login(), await login(phone)];
  await post(0, "userLogin/logout", ended);
  await post(0, "userLogin/logoutAll", all);
  for (const { broker } of gateways) await stopNode(broker);
  await stopNode(users);
  // Gateways that start first wait for the user service: no token is let in meanwhile, and none is called invalid.
  const starting = startGateway(["wallet"]);
  const { broker, base } = await starting;
  gateways = [{ broker, base }];
  expect(await statusAt(0, lives)).toBe(503);
  const { services } = JSON.parse((await send(`${base}/health/ready`, { method: "GET" })).text);
  const [{ ready, report }] = Object.values(services["api-gateway"].nodes) as [{ ready: boolean; report: object }];
  expect(ready).toBe(false);
  expect(report).toMatchObject({
    revocations: "the copy of the revoked tokens is not read yet: logged-in requests answer 503",
  });
  users = await startNode("users", [user, notification]);
  await letsIn(broker);
  expect([await statusAt(0, lives), await statusAt(0, ended), await statusAt(0, all)]).toEqual([200, 401, 401]);
  gateways.push(await startGateway());
  expect([await statusAt(1, lives), await statusAt(1, ended), await statusAt(1, all)]).toEqual([200, 401, 401]);
});

describe("while revocations cannot be read logged-in requests are served for 10 s, then answered 503, and served again afterwards:", () => {
  async function goesOnThenHeals(away: () => unknown, back: () => unknown): Promise<void> {
    const token = await login();
    expect(await both(token)).toEqual([200, 200]);
    const since = performance.now();
    await away();
    // The logout is refused, and may be repeated.
    expect((await post(0, "userLogin/logout", token)).status).toBe(503);
    await eventually("503", async () => (await statusAt(1, token)) === 503, 30_000);
    const lasted = performance.now() - since;
    const { feedStaleMs, feedPollMs, feedCallMs } = limits.user;
    // The copy counts from the beginning of its last read, which may be as long ago as a poll and a call take.
    expect(lasted).toBeGreaterThan(feedStaleMs - feedPollMs - feedCallMs - 1_000);
    expect(lasted).toBeLessThan(feedStaleMs + 10_000);
    expect((await post(0, "bank/income", `${token.slice(0, -1)}`)).status).toBe(401);
    expect((await send(`${at(1).base}/health/ready`, { method: "GET" })).status).toBe(503);
    await back();
    await eventually("let in again", async () => (await both(token)).join() === "200,200", 20_000);
    expect((await post(0, "userLogin/logout", token)).code).toBe(200);
    await refusedAt(1, token);
  }

  test("the user service is down", () =>
    goesOnThenHeals(
      () => stopNode(users),
      async () => {
        users = await startNode("users", [user, notification]);
        for (const { broker } of gateways) await waitForNode(broker, "user", users.nodeID);
      },
    ));

  test("its database does not answer", () =>
    goesOnThenHeals(
      () => mysql.cut(),
      () => mysql.mend(),
    ));
});

test("where connections to the user service's database hang logged-in requests are served, and logout succeeds when it is repeated", async () => {
  const [ended, lives] = [await login(), await login()];
  mysql.freeze();
  const revocations = revocationsOf(1);
  const statuses = new Set<number>();
  await eventually(
    "logged out",
    async () => {
      const wasCurrent = revocations.isCurrent;
      const status = await statusAt(1, lives);
      // A copy that is too old, since the machine stalled, is refused by right.
      if (wasCurrent && revocations.isCurrent) statuses.add(status);
      return (await post(0, "userLogin/logout", ended)).code === 200;
    },
    40_000,
  );
  expect([...statuses]).toEqual([200]);
  await refusedAt(1, ended);
});
