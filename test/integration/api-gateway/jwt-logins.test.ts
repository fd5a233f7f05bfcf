import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import notification from "../../../services/notification/notification.service.ts";
import user from "../../../services/user/user.service.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import {
  audience,
  claimsFor,
  issuer,
  type JwksServer,
  jwtOf,
  newExternalId,
  newKey,
  startJwks,
} from "../../support/platform.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { neighbourNames, send, startGateway, startNeighbours } from "./neighbours.ts";

/** Logins by the platform's JWT at two gateways and two user nodes, each a broker of its own. */

jest.setTimeout(60_000);

const key = newKey("k1");
let jwks: JwksServer;
let mysql: CuttableServer;
let caller: ServiceBroker;
let bases: string[];

beforeAll(async () => {
  jwks = await startJwks(key);
  Object.assign(process.env, {
    ...{ JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_JWKS_URL: jwks.url },
    ...{ JWT_NAME_CLAIM: "name", JWT_AVATAR_CLAIM: "picture" },
  });
  mysql = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = mysql.url;
  const nodes = [await startNode("users-1", [user, notification]), await startNode("users-2", [user])];
  await startNeighbours(neighbourNames.filter((name) => name !== "user" && name !== "notification"));
  const gateways = [await startGateway(), await startGateway()];
  for (const { broker } of gateways) for (const node of nodes) await waitForNode(broker, "user", node.nodeID);
  bases = gateways.map(({ base }) => base);
  caller = await startNode("caller", []);
  await caller.waitForServices(["user"]);
  await eventually("both gateways let users of the platform in", async () =>
    (await Promise.all([status(0, jwtOf(key, claimsFor("first"))), status(1, jwtOf(key, claimsFor("first")))])).every(
      (found) => found === 200,
    ),
  );
});
afterAll(async () => {
  // The stop waits for statements: connections that hang are broken.
  mysql.cut();
  mysql.mend();
  await stopAll();
  await mysql.close();
  await jwks.close();
});

const post = (gateway: number, path: string, token?: string, body: object = {}) =>
  send(`${bases[gateway]}/live/api/${path}`, { body, headers: token ? { Authorization: `Bearer ${token}` } : {} });
const status = async (gateway: number, token: string) => (await post(gateway, "home/initPage", token)).status;
const pageOf = async (token: string, gateway = 0) =>
  (await post(gateway, "home/initPage", token)).data as { userId: string; nickName: string; avatar: string };
const seconds = () => Math.floor(Date.now() / 1_000);

test("the first sight of a user makes her, with names from the claims, and every gateway knows her then", async () => {
  const id = newExternalId();
  const claims = claimsFor(id, { name: "Lin\u2068 林", picture: "https://img.example/1.png" });
  const token = jwtOf(key, claims);
  const page = await pageOf(token);
  expect(page).toMatchObject({ nickName: "Lin\u2068 林", avatar: "https://img.example/1.png" });
  expect((await pageOf(token, 1)).userId).toBe(page.userId);
  expect((await pageOf(jwtOf(key, claimsFor(id)))).userId).toBe(page.userId);
  const { list } = await call(caller, "user.externalIdsOf", { userIds: [page.userId] });
  expect(list).toEqual([{ externalId: id, userId: page.userId }]);
});

test("a hundred first requests of one user at two gateways, with JWTs of their own, make one user", async () => {
  const id = newExternalId();
  const tokens = Array.from({ length: 20 }, (_, n) => jwtOf(key, claimsFor(id, { jti: String(n) })));
  const ask = (n: number) => post(n % 2, "home/initPage", tokens[n % 20]);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n)));
  // A busy machine may answer some 503. Nobody is refused, and nobody is another user.
  expect(answers.filter((answer) => answer.status !== 200 && answer.status !== 503)).toEqual([]);
  const found = answers.filter((answer) => answer.status === 200).map((answer) => answer.data as { userId: string });
  expect(new Set(found.map(({ userId }) => userId)).size).toBe(1);
});

test("a user whose id at the platform is another user's own id is not that user", async () => {
  const { userId } = await pageOf(jwtOf(key, claimsFor(newExternalId())));
  expect((await pageOf(jwtOf(key, claimsFor(userId)))).userId).not.toBe(userId);
});

test("strange names are left out, and never an error", async () => {
  const claims = claimsFor(newExternalId(), { name: "a\nb", picture: ["x"] });
  expect(await pageOf(jwtOf(key, claims))).toMatchObject({
    nickName: expect.stringMatching(/^旗鱼用户-/),
    avatar: "",
  });
});

test("a JWT opens what a login opens, the IM ticket among it", async () => {
  const token = jwtOf(key, claimsFor(newExternalId()));
  expect((await post(0, "im/getImConfig", token)).code).toBe(200);
  expect((await post(0, "bank/income", token)).code).toBe(200);
});

test("a refused JWT is answered 401, with nothing of why", async () => {
  const id = newExternalId();
  const forged = [
    jwtOf(newKey("k1"), claimsFor(id)),
    jwtOf(key, claimsFor(id, { aud: "another" })),
    jwtOf(key, claimsFor(id, { exp: seconds() - 100 })),
    jwtOf(key, claimsFor(5)),
    `${jwtOf(key, claimsFor(id))}x`,
    "x".repeat(4_097),
    "a.b.c",
    "v1.a.b.c",
  ];
  for (const token of forged) {
    const answer = await post(0, "home/initPage", token);
    expect([answer.status, answer.code, answer.data]).toEqual([401, 100002, null]);
  }
  expect((await call(caller, "user.idsOfExternal", { externalIds: [id] })).list).toEqual([]);
});

test("a JWT is no cookie", async () => {
  const Cookie = `qytk=${jwtOf(key, claimsFor(newExternalId()))}`;
  expect((await send(`${bases[0]}/live/api/home/initPage`, { body: {}, headers: { Cookie } })).status).toBe(401);
});

test("after logout this JWT is refused by every gateway, another one of the user is not", async () => {
  const id = newExternalId();
  const [ended, other] = [jwtOf(key, claimsFor(id, { jti: "1" })), jwtOf(key, claimsFor(id, { jti: "2" }))];
  expect([await status(0, ended), await status(1, ended)]).toEqual([200, 200]);
  expect((await post(0, "userLogin/logout", ended)).code).toBe(200);
  expect(await status(0, ended)).toBe(401);
  await eventually("refused by the other gateway", async () => (await status(1, ended)) === 401);
  expect([await status(0, other), await status(1, other)]).toEqual([200, 200]);
  expect((await post(0, "userLogin/logout", ended)).code).toBe(200);
  expect((await post(0, "userLogin/logout", "not.a.jwt")).code).toBe(200);
});

test("after logoutAll the JWTs that were issued until then are refused, by a clock that is ahead and without a time of issue too, later ones are not", async () => {
  const id = newExternalId();
  const issued = (iat: number | undefined) => jwtOf(key, claimsFor(id, { iat, exp: seconds() + 600 }));
  const old = [issued(seconds() - 5), issued(undefined), issued(seconds() + 30)];
  for (const token of old) expect(await status(1, token)).toBe(200);
  expect((await post(0, "userLogin/logoutAll", old[0])).code).toBe(200);
  for (const token of old) {
    expect(await status(0, token)).toBe(401);
    await eventually("refused by the other gateway", async () => (await status(1, token)) === 401);
  }
  // The gateways let it in once it is not more than 60 s ahead.
  const later = issued(seconds() + 61);
  for (const at of [0, 1]) await eventually("a later one is let in", async () => (await status(at, later)) === 200);
});

test("a known user is let in while the user service is away, an unknown one is answered 503 and let in later", async () => {
  const [known, unknown] = [jwtOf(key, claimsFor(newExternalId())), jwtOf(key, claimsFor(newExternalId()))];
  expect(await status(0, known)).toBe(200);
  mysql.cut();
  const away = await Promise.all([post(0, "bank/income", known), post(0, "bank/income", unknown)]);
  mysql.mend();
  expect(away.map((answer) => answer.status)).toEqual([200, 503]);
  await eventually("the unknown user is let in", async () => (await status(0, unknown)) === 200);
});

test("a key that the platform begins to use works at its first use, while old keys do", async () => {
  const fresh = newKey("k2", "ES256");
  const claims = claimsFor(newExternalId());
  jwks.serve(key, fresh);
  expect([await status(0, jwtOf(fresh, claims)), await status(0, jwtOf(key, claims))]).toEqual([200, 200]);
});
