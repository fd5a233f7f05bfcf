import type { ServiceBroker } from "moleculer";
import { endpoints } from "../../../services/api-gateway/endpoints/all.ts";
import { broadcast } from "../../../services/contracts.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";
import type { RestrictionFact } from "../../../services/user/restrictions.contract.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { tokenOf } from "../../support/tokens.ts";
import { answers, backendKey, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";
import { validParams } from "./valid-params.ts";

jest.setTimeout(60_000);

/** What a gateway answers to users who are banned or muted, as the user service tells it: on another node. */

let base: string;
let neighbours: ServiceBroker;

beforeAll(async () => {
  neighbours = await startNeighbours();
  const gateway = await startGateway();
  base = gateway.base;
  // A broadcast goes to the nodes that are known to listen.
  await waitForNode(neighbours, "api-gateway", gateway.broker.nodeID);
});
beforeEach(forgetCalls);
afterAll(stopAll);

let ids = 0;
const newUser = () => String(4_000_000 + ++ids);
const fact = (userId: string, more: Partial<RestrictionFact> = {}): RestrictionFact => ({
  ...{ restrictionId: String(++ids), userId, kind: "ban" as const, roomId: null, until: null, lifted: false },
  ...more,
});
/** What the user service has. A read of everything brings it, later ones nothing: broadcasts alone tell what is new. */
const told: RestrictionFact[] = [];
function forgetCalls(): void {
  forget();
  answers["user.restrictionsSince"] = ({ since }) => ({ list: since === 0 ? told : [], now: Date.now(), next: null });
}
/** Tells the facts until they are known: a broadcast may be lost. */
function tell(list: RestrictionFact[], what: string, isKnown: () => Promise<boolean>): Promise<unknown> {
  told.push(...list);
  return eventually(what, async () => {
    if (list.length > 0) await broadcast(neighbours, "user.restrictions-changed", { list });
    return isKnown();
  });
}
const as = (userId: string) => ({ Authorization: `Bearer ${tokenOf(userId)}` });
const ask = (userId: string, path: string, body: object = {}) =>
  send(`${base}/live/api/${path}`, { headers: as(userId), body });
const answersWith = (userId: string, code: number, ...list: RestrictionFact[]) =>
  tell(list, `code ${code}`, async () => (await ask(userId, "home/initPage")).code === code);

test("who is banned gets 10014 from every endpoint with a login but gift/send, and nothing is called; but logs out", async () => {
  const userId = newUser();
  await answersWith(userId, 200);
  await answersWith(userId, 10014, fact(userId));
  forgetCalls();
  const refusing = endpoints.filter((endpoint) => endpoint.access === "login" && !endpoint.checksBanItself);
  expect(endpoints.filter((one) => one.checksBanItself).map(({ path }) => path)).toEqual(["/live/api/gift/send"]);
  for (const { path, access } of refusing) {
    const answer = await send(`${base}${path}`, { headers: as(userId), body: validParams[path] });
    expect([path, access, answer.status, answer.code, answer.data]).toEqual([path, "login", 200, 10014, null]);
  }
  expect(calls).toEqual([]);
  expect((await ask(userId, "userLogin/logout")).code).toBe(200);
});

test("others are let in, and so is she when the ban is lifted", async () => {
  const [userId, other] = [newUser(), newUser()];
  const ban = fact(userId);
  await answersWith(userId, 10014, ban);
  await answersWith(other, 200);
  await answersWith(userId, 200, { ...ban, lifted: true });
});

test("a ban that ends by its time ends without a call", async () => {
  const userId = newUser();
  await answersWith(userId, 10014, fact(userId, { until: Date.now() + 6_000 }));
  await eventually("let in", async () => (await ask(userId, "home/initPage")).code === 200, 20_000);
});

test("a banned sender's gift reaches the gift service as such, of a user and of the platform, for the room alone", async () => {
  const userId = newUser();
  const gift = (roomId: number) => ({ giftId: 22, roomId, receiverId: "77", count: 1, requestId: `request-${++ids}` });
  const toldOf = async (body: object) => {
    forgetCalls();
    await ask(userId, "gift/send", body);
    return calls.at(-1)?.params.isBanned;
  };
  await tell([fact(userId, { roomId: 5 })], "known", async () => (await toldOf(gift(5))) === true);
  expect(await toldOf(gift(6))).toBeUndefined();
  // A client cannot say it, nor that it is not so.
  expect(await toldOf({ ...gift(5), isBanned: false })).toBe(true);
  forgetCalls();
  await send(`${base}/live/server/v1/gifts/send`, {
    headers: { Authorization: `Bearer ${backendKey}`, "Idempotency-Key": `write-${ids}-restricted` },
    body: { ...gift(5), userId, isBanned: false },
  });
  expect(calls.find(({ action }) => action === "gift.send")?.params).toMatchObject({ userId, isBanned: true });
});

test("a gift of who is banned everywhere reaches the gift service as such: a repeat of what it accepted is that order", async () => {
  const userId = newUser();
  await answersWith(userId, 10014, fact(userId));
  const gift = { giftId: 22, roomId: 5, receiverId: "77", count: 1, requestId: `request-${++ids}` };
  const orderId = orderIdOf(userId, gift.requestId);
  answers["gift.send"] = () => ({ orderId });
  expect(await ask(userId, "gift/send", gift)).toMatchObject({ status: 200, code: 200, data: { orderId } });
  expect(calls.at(-1)).toMatchObject({ action: "gift.send", params: { userId, isBanned: true } });
});

test("roomRole tells the role, and until when the caller is muted in the room", async () => {
  const userId = newUser();
  const role = async () => (await ask(userId, "living/roomRole", { roomId: 5 })).data;
  expect(await role()).toEqual({ role: "viewer", muted: false, mutedUntil: null });
  const until = Date.now() + 3_600_000;
  const mutes = [fact(userId, { kind: "mute", roomId: 5, until }), fact(userId, { kind: "mute", roomId: 6 })];
  await tell(mutes, "known", async () => ((await role()) as { muted: boolean }).muted);
  expect(await role()).toEqual({ role: "viewer", muted: true, mutedUntil: new Date(until).toISOString() });
  await tell(
    [fact(userId, { kind: "mute" })],
    "for ever",
    async () => ((await role()) as { mutedUntil: string | null }).mutedUntil === null,
  );
  expect(await role()).toEqual({ role: "viewer", muted: true, mutedUntil: null });
});

test("the caller of mute, unmute and removeChat is that of the token, whatever is sent", async () => {
  const userId = newUser();
  for (const path of ["mute", "unmute", "removeChat"]) {
    forgetCalls();
    const valid = validParams[`/live/api/living/${path}`];
    expect((await ask(userId, `living/${path}`, { ...valid, callerId: "99" })).code).toBe(200);
    expect(calls.at(-1)).toMatchObject({ action: `living-room.${path}`, params: { ...valid, callerId: userId } });
  }
});

test("a gateway that has not read who is banned answers 503 to every login, and is not ready", async () => {
  let known: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    known = resolve;
  });
  answers["user.restrictionsSince"] = async () => {
    await held;
    return { list: [], now: Date.now(), next: null };
  };
  const { default: gateway } = await import("../../../services/api-gateway/api-gateway.service.ts");
  const late = await startNode("gateway-late", [gateway]);
  await waitForNode(late, "user", neighbours.nodeID);
  const { port } = (late.getLocalService("api-gateway") as unknown as { door: { port: number } }).door;
  const there = `http://127.0.0.1:${port}/live/api/home/initPage`;
  const health = async () =>
    (await late.call("api-gateway.health", {}, { nodeID: late.nodeID })) as Record<string, unknown>;
  await eventually("the revocations are read", async () => (await health()).revocations === true);
  expect((await send(there, { headers: as(newUser()), body: {} })).status).toBe(503);
  // The gift may repeat one that was accepted: the 503 names the order, where the client may have its id.
  const [sender, requestId] = [newUser(), `request-${++ids}`];
  const gift = { giftId: 22, roomId: 5, receiverId: "77", count: 1 };
  const sendThere = (body: object) =>
    send(`http://127.0.0.1:${port}/live/api/gift/send`, { headers: as(sender), body });
  const named = { status: 503, data: { orderId: orderIdOf(sender, requestId) } };
  expect(await sendThere({ ...gift, requestId })).toMatchObject(named);
  expect(await sendThere(gift)).toMatchObject({ status: 503, data: null });
  expect((await health()).restrictions).toMatch(/not read yet/);
  known?.();
  await eventually("let in", async () => (await send(there, { headers: as(newUser()), body: {} })).status === 200);
});
