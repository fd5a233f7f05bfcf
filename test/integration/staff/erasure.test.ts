import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { databaseName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call, type ResultOf } from "../../../services/contracts.ts";
import { migrationFolders } from "../../../services/databases.ts";
import imRouter from "../../../services/im-router/im-router.service.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import notification from "../../../services/notification/notification.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { columnsWith, keysWith } from "../../support/every-column.ts";
import { eventually, startNode, stopNode } from "../../support/system.ts";
import { expectOrdersAndLedgersAgree } from "../../support/whole-books.ts";
import { fastAudit, findings, passesDone, startAuditor } from "../auditor/bookkeeping.ts";
import { change, tradesOf } from "../platform/money-books.ts";
import { addPerson, answerOf, paidOrder, sessionOf, useMoneyNodes } from "./money-nodes.ts";

/** The erasure of a user, over the nodes of every service that has something of a person. */

jest.setTimeout(90_000);

/** A staff node in a process of its own, which starts first: it holds the lease of the job until it is killed. */
let dying: Child;
let dyingId: string;
beforeAll(async () => {
  dying = startChild({
    name: "staff",
    command: process.execPath,
    args: [
      join(projectRoot(), "test/support/service-process.ts"),
      ...["staff", JSON.stringify({ erasuresEveryMs: 100 })],
    ],
    cwd: projectRoot(),
    env: { NODE_LABEL: "staff-0" },
    output: { prefix: "staff|" },
    ready: /^ready (\{.*\})$/,
  });
  dyingId = (JSON.parse((await dying.ready)?.[1] as string) as { nodeId: string }).nodeId;
});
afterAll(() => dying?.stop(1_000));

const nodes = useMoneyNodes();

let router: ServiceBroker;
/** Sessions of the admin ann, and of the finance persons bob and cem. */
let ann: string;
let bob: string;

beforeAll(async () => {
  await startNode("living-room", [livingRoom]);
  await startNode("notification", [notification]);
  router = await startNode("im-router", [imRouter]);
  await nodes.caller.waitForServices(["living-room", "notification", "im-router"]);
  for (const node of nodes.staffs) await node.waitForServices(["living-room"]);
  await addPerson("ann", "admin");
  await addPerson("bob", "finance");
  [ann, bob] = [await sessionOf("ann"), await sessionOf("bob")];
});

const on = (at: 0 | 1) => ({ nodeID: nodes.staffs[at].nodeID });
const erase = (userId: string, giveUp = false, session = ann) =>
  call(
    nodes.caller,
    "staff.moveMoney",
    { session, move: { kind: "erase", userId, giveUp, reason: "a letter" } },
    on(0),
  );
const erasure = (userId: string) => call(nodes.caller, "staff.erasure", { session: ann, userId }, on(0));
const idOf = (answer: ResultOf<"staff.moveMoney">): string => {
  if (!("proposalId" in answer)) throw new Error(`no proposal: ${JSON.stringify(answer)}`);
  return answer.proposalId;
};

/** Approves as the door does it: the call is in the audit before it is carried out. */
async function approve(proposalId: string, session = bob) {
  const about = { session, route: "/live/admin/proposals/approve", right: "decide", about: proposalId } as const;
  const begun = { ...about, params: { proposalId }, address: "10.0.0.1" };
  const { callId } = await call(nodes.caller, "staff.begin", begun, on(1));
  const decided = await call(nodes.caller, "staff.decide", { session, proposalId, approve: true }, on(1));
  await call(nodes.caller, "staff.finish", { callId, outcome: "succeeded" }, on(1));
  return decided;
}

const person = {
  phone: "13912344321",
  nickName: "Zebrafink-Planted",
  avatar: "https://pictures.example/zebrafink.png",
  externalId: "platform-zebrafink",
  address: "203.0.113.77",
};
const planted = [person.phone, person.nickName, person.avatar, person.externalId, person.address];

/** A user who logs in by phone and by the platform's JWT, has paid, has had a room and was written about. */
async function everywhere() {
  const { caller } = nodes;
  const { phone, nickName, avatar, externalId, address } = person;
  const { devCode } = await call(caller, "user.sendLoginCode", { phone, address });
  const { userId } = await call(caller, "user.login", { phone, code: devCode as string, address });
  await change("user", "INSERT INTO t_user_external (external_id, user_id, create_time) VALUES (?, ?, NOW())", [
    ...[Buffer.from(externalId), userId],
  ]);
  await call(caller, "user.ofExternal", { externalId, nickName, avatar });
  const order = await paidOrder(nodes, userId);
  await change("payment", "UPDATE t_pay_webhook SET ip = ? WHERE order_id = ?", [address, order.orderId]);
  const about = `${nickName} wrote from ${address}`;
  const adjust = { kind: "adjust", userId, coins: 10, adjustId: randomUUID(), reason: about } as const;
  expect(await call(caller, "staff.moveMoney", { session: bob, move: adjust }, on(0))).toMatchObject({ state: "done" });
  const freeze = { session: ann, what: "freeze", params: { userId, reason: about } } as const;
  await call(caller, "staff.carryOut", freeze, on(0));
  await call(caller, "staff.carryOut", { ...freeze, what: "unfreeze" }, on(0));
  const begun = { session: ann, route: "/live/admin/account/freeze", right: "freeze", about: userId } as const;
  await call(caller, "staff.begin", { ...begun, params: { userId, reason: about }, address: "10.0.0.1" }, on(0));
  const restriction = { userId, kind: "mute", reason: about, operator: "staff:ann" } as const;
  const { restrictionId } = await call(caller, "user.restrict", restriction);
  await call(caller, "user.liftRestriction", { restrictionId, reason: about, operator: "staff:ann" });
  const { roomId } = await call(caller, "living-room.start", { userId, type: 1, roomName: `${nickName} sings` });
  const chat = { roomId, senderId: userId, bizCode: 5555, data: { content: `call ${phone}` } } as const;
  await call(caller, "im-router.sendToRoom", { ...chat, msgId: "planted-chat" });
  return { userId, roomId, orderId: order.orderId, adjustId: adjust.adjustId };
}

describe("a user is not erased", () => {
  test("by who has not the right, nor without another person, nor by a person alone", async () => {
    const { userId } = await call(nodes.caller, "user.ofExternal", { externalId: "stays" });
    expect(await answerOf(erase(userId, false, bob))).toBe("roleMissing");
    const proposalId = idOf(await erase(userId));
    expect(idOf(await erase(userId))).toBe(proposalId);
    expect(await answerOf(approve(proposalId, ann))).toBe("ownProposal");
    expect(await erasure(userId)).toMatchObject({ state: null, obstacles: [] });
    expect(await call(nodes.caller, "staff.decide", { session: bob, proposalId, approve: false })).toMatchObject({
      state: "declined",
    });
  });

  test("while money, a room or a move is open, or coins are not given up; and nothing has changed", async () => {
    const { caller } = nodes;
    const { userId } = await call(caller, "user.ofExternal", { externalId: "blocked", nickName: "blocked" });
    await call(caller, "payment.pay", { userId, productId: 6, paySource: 1, payChannel: 3 });
    await call(caller, "living-room.start", { userId, type: 1, roomName: "open" });
    await change("wallet", "INSERT INTO t_qiyu_currency_account (user_id, status) VALUES (?, 1)", [userId]);
    const adjust = { kind: "adjust", userId, coins: 900, adjustId: randomUUID(), reason: "waits" } as const;
    const waiting = idOf(await call(caller, "staff.moveMoney", { session: bob, move: adjust }, on(0)));
    expect(await erasure(userId)).toMatchObject({ obstacles: ["payment", "room", "move"] });
    expect(await answerOf(erase(userId, true))).toBe("erasureBlocked");
    // What comes up between the proposal and its approval counts too.
    const late = (await call(caller, "user.ofExternal", { externalId: "late" })).userId;
    const proposalId = idOf(await erase(late));
    const coins = { kind: "adjust", userId: late, coins: 5, adjustId: randomUUID(), reason: "x" } as const;
    await call(caller, "staff.moveMoney", { session: bob, move: coins }, on(0));
    expect(await approve(proposalId)).toMatchObject({ state: "refused", refusal: "erasureBlocked" });
    expect(await erasure(late)).toMatchObject({ state: null, obstacles: ["coins"] });
    expect(await call(caller, "user.profile", { userId })).toMatchObject({ nickName: "blocked" });
    await call(caller, "staff.decide", { session: ann, proposalId: waiting, approve: false });
  });
});

test("an erased user is nowhere, the books add up and verify, and who comes back is another user", async () => {
  const { caller } = nodes;
  const { userId, roomId, orderId, adjustId } = await everywhere();
  expect((await columnsWith(planted)).length).toBeGreaterThan(8);
  expect(await keysWith(planted)).not.toEqual([]);
  expect(await answerOf(erase(userId))).toBe("erasureBlocked");
  await call(caller, "living-room.close", { userId, roomId });
  await change("payment", "UPDATE t_pay_message_watch SET next_time = UTC_TIMESTAMP(3)");
  await eventually("the credit is confirmed", async () => (await erasure(userId)).obstacles.join() === "coins", 20_000);
  expect(await answerOf(erase(userId))).toBe("erasureBlocked");
  const proposalId = idOf(await erase(userId, true));
  const issuedAt = Date.now();

  // Rooms cannot be erased without their routers: the erasure stops there, and the node that was at it is killed.
  await stopNode(router);
  expect(await approve(proposalId)).toMatchObject({ state: "done" });
  await eventually("it waits for the room service", async () => {
    const { state, problem } = await erasure(userId);
    return state === "erasing" && (problem ?? "").startsWith("living-room: ");
  });
  const [lease] = await rows<{ holder: string }>("staff", "SELECT holder FROM t_lease WHERE name = 'erasures'");
  expect(lease?.holder).toBe(dyingId);
  process.kill(dying.pid as number, "SIGKILL");
  await dying.exited;
  await change("staff", "UPDATE t_lease SET until_time = UTC_TIMESTAMP(3) WHERE name = 'erasures'");
  // Names and logins are gone already.
  expect(await call(caller, "user.profile", { userId })).toMatchObject({ nickName: "已注销用户", avatar: "" });
  expect(await answerOf(call(caller, "user.ofExternal", { externalId: person.externalId, issuedAt }))).toBe(
    "notLoggedIn",
  );
  router = await startNode("im-router", [imRouter]);
  await eventually("it is erased", async () => (await erasure(userId)).state === "erased", 40_000);

  // Events are published within a second, and the outbox keeps them for an hour: the id at the platform stands in them.
  const stays = [/\.t_outbox\.payload: platform-zebrafink$/];
  expect((await columnsWith(planted)).filter((where) => !stays.some((one) => one.test(where)))).toEqual([]);
  expect(await keysWith(planted)).toEqual([]);
  expect((await call(caller, "im-router.roomChat", { roomId })).map(({ text }) => text)).toEqual([]);

  // Postings, orders and the outcome of every id stay.
  expect(await tradesOf(userId)).toEqual([
    [1, 300],
    [3, 10],
  ]);
  await expectBooksBalanced();
  await expectOrdersAndLedgersAgree();
  const again = { kind: "adjust", userId, coins: 10, adjustId, reason: "again" } as const;
  expect(await call(caller, "staff.moveMoney", { session: bob, move: again }, on(1))).toMatchObject({ state: "done" });
  expect(await tradesOf(userId)).toHaveLength(2);
  expect(await call(caller, "payment.findOrder", { orderId, operator: "test" })).toMatchObject({
    userId,
    coinNum: 300,
  });
  // Asked for once more, it is done.
  expect(await erase(userId, true)).toEqual({ state: "done", result: { userId, state: "erased" } });

  // Nothing reaches the account any more.
  expect((await call(caller, "wallet.unusableOf", { userIds: [userId] })).userIds).toEqual([userId]);
  const credit = { apiKey: nodes.apiKey, userId, coins: 5, externalOrderId: randomUUID() };
  expect(await answerOf(call(caller, "platform.credit", credit))).toBe("accountUnusable");
  expect(await answerOf(call(caller, "user.logoutAll", { userId }))).toBe("userUnknown");

  // The same person is another user: by phone, and by a JWT that is issued later.
  const { phone, address, externalId } = person;
  const { devCode } = await call(caller, "user.sendLoginCode", { phone, address });
  const back = await call(caller, "user.login", { phone, code: devCode as string, address });
  expect(back.userId).not.toBe(userId);
  const later = { externalId, issuedAt: Date.now() + 120_000 };
  const { userId: byJwt, created } = await call(caller, "user.ofExternal", later);
  expect([created, byJwt === userId]).toEqual([true, false]);

  await migrate(databaseName("gift"), migrationFolders.gift);
  await startAuditor("auditor", fastAudit);
  await passesDone();
  expect(await findings()).toEqual([]);
});

test("a gateway's revocation of an erased user covers JWTs of a later time, and the event has both ids once", async () => {
  const { caller } = nodes;
  const { userId } = await call(caller, "user.ofExternal", { externalId: "told" });
  expect(await approve(idOf(await erase(userId)))).toMatchObject({ state: "done" });
  await eventually("it is erased", async () => (await erasure(userId)).state === "erased", 40_000);
  const { list } = await call(caller, "user.revocations", { since: 0 });
  const own = list.find((one) => one.userId === userId);
  expect([own?.sessionId, (own?.issuedUntil ?? 0) > Date.now() + 86_400_000]).toEqual([0, true]);
  const events = await rows<{ payload: string }>("user", "SELECT payload FROM t_outbox WHERE msg_id = ?", [
    `user.erased:${userId}`,
  ]);
  expect(events.map(({ payload }) => (JSON.parse(payload) as { data: object }).data)).toEqual([
    { userId, externalId: "told", time: expect.any(String) },
  ]);
  // Whatever income is left or comes later is paid to nobody.
  const payout = { userId, points: 1, payoutId: "after-the-erasure", operator: "test" };
  expect(await call(caller, "wallet.payout", payout).catch(failureName)).toBe("accountUnusable");
  // A repeat erases nothing, and says nothing new.
  expect(await call(caller, "user.eraseUser", { userId, giveUp: false }).catch(failureName)).toEqual({ obstacles: [] });
  expect(await rows("user", "SELECT id FROM t_restriction WHERE user_id = ?", [userId])).toHaveLength(1);
});
