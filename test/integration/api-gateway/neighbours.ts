import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import { checkParams } from "../../../services/action-contract.ts";
import gateway from "../../../services/api-gateway/api-gateway.service.ts";
import type { Gateway } from "../../../services/api-gateway/gateway.ts";
import { apiKeyDigest } from "../../../services/api-keys.ts";
import { apiScopes } from "../../../services/api-scopes.ts";
import type { ActionName, ParamsOf, ResultOf } from "../../../services/contracts.ts";
import type { GiftAnswer } from "../../../services/gift/gift.contract.ts";
import { carriedOut } from "../../../services/staff/carried-out.contract.ts";
import { contracts } from "../../support/contracts.ts";
import { lookupAnswers } from "../../support/fake-lookups.ts";
import { nameIn, staffAnswers } from "../../support/fake-staff.ts";
import { eventually, startNode } from "../../support/system.ts";
import { tokenOf } from "../../support/tokens.ts";
import { workAnswers } from "../../support/work-answers.ts";

const aliceId = "9223372036854775807";
export const alice = { userId: aliceId, token: tokenOf(aliceId) };

const time = "2026-01-02T03:04:05.678Z";
export const catalogueGift = {
  giftId: 22,
  price: 90,
  giftName: "皇冠",
  status: 1,
  coverImgUrl: "a.png",
  svgaUrl: "a.svga",
  createTime: time,
  updateTime: time,
};
const giftOrder = {
  orderId: "gift-order-1",
  status: "failed" as const,
  reason: "balanceShort",
  giftId: 22,
  count: 3,
  price: 90,
  receiverId: "77",
  roomId: 5,
  time,
};
const giftRecord = { ...giftOrder, id: "41", senderId: alice.userId };
const payOrder = { orderId: "pay-order-1", productId: 1, status: 2, coinNum: 60, amount: 600, payTime: time };
const account = { userId: "77", balance: 5, debt: 0, totalCharged: 5, status: 2 };

const affected = {
  ...{ orderId: "pay-order-1", userId: "77", taken: 10, shortfall: 50, owing: 20, uncovered: 0, time },
  paidOff: [{ orderId: "pay-order-0", coins: 5 }],
  ...{ paidOffCount: 1, anchorCount: 1, shares: { open: 1, held: 0, released: 0 } },
  anchors: [{ anchorId: "78", gifts: 1, coins: 50, share: 25, sharePoints: 2_500, state: "open" as const }],
};
const affectedGift = {
  orderId: "gift-order-1",
  anchorId: "78",
  price: 90,
  coins: 50,
  share: 25,
  sharePoints: 2_500,
  time,
};

const shownRank = {
  list: [{ rank: 1, userId: "77", nickName: "nick-77", avatar: "/a.png", coins: 90 }],
  me: { rank: null, coins: 0 },
};

const battle = {
  ...{ battleId: "7", kind: "rooms" as const, state: "running" as const },
  sides: [
    { roomId: 5, userId: "77", score: 90, gifts: 1, topSenders: [] },
    { roomId: 6, userId: "78", score: 0, gifts: 0, topSenders: [] },
  ],
  ...{ startTime: time, endTime: time, serverTime: time, winner: null, excluded: [] },
};
const named = () => ({ battleId: "7" });

const finding = {
  ...{ id: 5, kind: "rowChanged", subject: "t_operator_audit 7", detail: "the row differs from its seal" },
  ...{ foundTime: time, seenTime: time, accepted: null },
};

const webhook = {
  ...{ webhookId: "7", url: "https://hooks.example.com/ovation", description: "", events: ["gift.settled"] },
  ...{ orderBy: "none" as const, enabled: true, disabledReason: null, disabledTime: null, failingSince: null },
  ...{ waiting: 0, dropped: 0, droppedTime: null, createTime: time },
};
const delivery = {
  ...{ deliveryId: "41", messageId: "msg-1", event: "gift.settled", status: "succeeded" as const, time, tries: 1 },
  ...{ nextTime: null, lastTime: time, durationMs: 12, httpStatus: 200, failure: null, answer: "ok" },
};

/** The platform's backend: a key with every scope. */
export const backendKey = `ovk_backend00001_${"k".repeat(43)}`;
const backend = {
  ...{ keyId: "backend00001", digest: apiKeyDigest(backendKey), scopes: [...apiScopes], perMinute: 1_000_000 },
};

const restriction = {
  ...{ restrictionId: "9", userId: "77", kind: "mute" as const, roomId: 5 as number | null, until: time, reason: "" },
  ...{ by: "staff:ann", createTime: time, liftedTime: null, liftedBy: null, liftReason: null },
};

type Answers = { [N in ActionName]?: (params: ParamsOf<N>) => ResultOf<N> | Promise<ResultOf<N>> };

const product = {
  ...{ productId: 11, name: "60", price: 600, coins: 60, type: 0, status: 1 },
  ...{ createTime: time, updateTime: time },
};
const topic = { bizCode: 10001, topic: "pay.recharge", status: 1, remark: "coins", waiting: 0 };

const usual: Answers = {
  ...staffAnswers,
  ...lookupAnswers,
  ...workAnswers,
  "user.sendLoginCode": () => ({ devCode: "123456" }),
  "user.login": () => alice,
  "user.logout": () => null,
  "user.logoutAll": ({ userId }) => ({ userId, sessionId: 0, issuedUntil: 1, expiresAt: 2 }),
  "user.revocations": () => ({ list: [], now: Date.now(), next: null }),
  "user.restrict": ({ userId, kind, reason, operator }) => ({
    ...restriction,
    ...{ userId, kind, reason, by: operator },
  }),
  "user.liftRestriction": ({ operator }) => ({ ...restriction, liftedTime: time, liftedBy: operator, liftReason: "r" }),
  "user.restrictions": () => ({ list: [restriction], nextCursor: "9" }),
  "im-router.removeChat": () => null,
  "user.restrictionsSince": () => ({ list: [], now: Date.now(), next: null }),
  "user.profiles": ({ userIds }) => ({
    list: userIds.map((userId) => ({ userId, nickName: `nick-${userId}`, avatar: "/a.png" })),
  }),
  "user.profile": ({ userId }) => ({ userId, nickName: `nick-${userId}`, avatar: "/a.png" }),
  "user.ofExternal": () => ({ userId: "77", created: true }),
  "user.idsOfExternal": ({ externalIds }) => ({
    list: externalIds.map((externalId) => ({ externalId, userId: "77" })),
  }),
  "user.externalIdsOf": ({ userIds }) => ({ list: userIds.map((userId) => ({ userId, externalId: `u-${userId}` })) }),
  "living-room.start": () => ({ roomId: 5 }),
  "living-room.close": () => null,
  "living-room.list": () => ({
    list: [{ id: 5, roomName: "r", anchorId: "77", watchNum: 1, goodNum: 0, covertImg: "" }],
    hasNext: false,
  }),
  "living-room.openForPlatform": ({ userId, type, externalRoomId }) => ({
    room: { roomId: 5, anchorId: userId, type, roomName: "r", ...(externalRoomId && { externalRoomId }) },
    opened: true,
  }),
  "living-room.closeForPlatform": ({ roomId = 5 }) => ({ roomId, anchorId: "77", closed: true }),
  "living-room.ofAnchor": ({ userId }) => ({ roomId: 5, anchorId: userId, type: 1, roomName: "r" }),
  "living-room.idsOfExternal": ({ externalRoomIds }) => ({
    list: externalRoomIds.map((externalRoomId) => ({ externalRoomId, roomId: 5 })),
  }),
  "living-room.externalIdsOf": ({ roomIds }) => ({
    list: roomIds.map((roomId) => ({ roomId, externalRoomId: `r-${roomId}` })),
  }),
  "living-room.find": ({ roomId }) => (roomId === 5 ? { roomId, anchorId: "77", type: 1, roomName: "r" } : null),
  "living-room.moderators": () => ({ userIds: ["78"] }),
  "living-room.addModerator": () => null,
  "living-room.removeModerator": () => null,
  "living-room.roleOf": () => ({ role: "viewer" }),
  "living-room.mute": ({ userId, roomId, callerId }) => ({ ...restriction, userId, roomId, by: callerId }),
  "living-room.unmute": () => ({ lifted: 1 }),
  "living-room.removeChat": () => null,
  "gift.catalogue": () => ({ list: [catalogueGift], nextAfter: null }),
  "gift.send": () => ({ orderId: "gift-order-1" }),
  "gift.order": () => giftOrder,
  "gift.orderForPlatform": () => giftRecord,
  "gift.records": () => ({ list: [giftRecord], nextCursor: "41" }),
  "gift.create": () => catalogueGift,
  "gift.update": () => catalogueGift,
  "gift.takeOffShelf": () => catalogueGift,
  "gift.allGifts": ({ after }) => ({ list: after < 22 ? [catalogueGift] : [], nextAfter: null }),
  "gift.findOrder": () => giftRecord,
  "wallet.balance": () => account,
  "wallet.statement": () => ({
    list: [
      { id: "10", num: -90, type: 0, status: 1, bizId: "b", balanceAfter: 5, createTime: time },
      {
        ...{
          id: "9",
          num: -30,
          type: 2,
          status: 1,
          bizId: "refund:c",
          balanceAfter: 0,
          createTime: time,
          orderId: "c",
        },
        debt: { change: 20, after: 25, orders: [{ orderId: "c", coins: 20 }] },
      },
    ],
    nextCursor: null,
  }),
  "wallet.income": () => ({
    ...{ income: 40, incomePoints: 4_050, earned: 50, earnedPoints: 5_050, heldBack: 5, heldBackPoints: 500 },
    ...{ paidOut: 5, paidOutPoints: 500, settledUpTo: time },
  }),
  "wallet.affectedGifts": () => ({ ...affected, gifts: [affectedGift], nextCursor: "41" }),
  "wallet.freeze": () => account,
  "wallet.unfreeze": () => account,
  "payment.products": () => [{ id: 1, name: "60", coinNum: 60 }],
  "payment.payChannels": () => [
    { payChannel: 3, name: "cashier", title: { zh: "收银台", en: "the cashier" }, kind: "page" as const },
  ],
  "payment.pay": () => ({
    orderId: "pay-order-1",
    payUrl: "/sandbox/cashier?orderId=pay-order-1",
    amount: 6_000,
    expiresInS: 900,
  }),
  "payment.order": () => payOrder,
  "payment.findOrder": () => ({ ...payOrder, userId: "77", parked: ["creditHeld"] }),
  "payment.allProducts": () => ({ list: [product] }),
  "payment.createProduct": () => product,
  "payment.updateProduct": () => product,
  "payment.topics": () => ({ list: [topic] }),
  "payment.setTopic": () => topic,
  "payment.parkedOrders": () => ({
    list: [
      {
        ...{ orderId: "pay-order-1", userId: "77", status: 2, amount: 6_000, coinNum: 60 },
        marks: [{ mark: "paidTwice", transactionId: "42", since: time, actions: ["remove"] }],
      },
    ],
    nextCursor: "pay-order-1",
  }),
  "payment.removeMark": ({ orderId }) => ({ orderId, removed: true, parked: ["creditHeld"] }),
  "payment.comparedDays": () => ({
    list: [{ date: "2026-11-22", channel: "wechat", comparedTime: null, compared: 0, open: 0, problem: "not there" }],
  }),
  "payment.differences": () => ({
    list: [
      {
        ...{ id: 5, date: "2026-11-22", channel: "wechat", kind: "refundTwice", orderId: "pay-order-1" },
        ...{ transactionId: null, detail: "6000 fen refunded by the bills, 3000 here", foundTime: time },
      },
    ],
    nextCursor: "5",
  }),
  "payment.resolveDifference": ({ id, reason }) => ({ id, resolvedTime: time, reason }),
  "payment.webhook": () => ({ httpStatus: 401, contentType: "application/json", body: '{"code":"FAIL"}' }),
  "payment.providerPage": ({ press }) => ({ html: press ? "<h1>pressed</h1>" : "<h1>page</h1>" }),
  "battle.invite": named,
  "battle.accept": named,
  "battle.decline": named,
  "battle.cancel": named,
  "battle.end": named,
  "battle.join": named,
  "battle.leave": named,
  "battle.show": () => battle,
  "battle.history": () => ({ list: [battle], nextCursor: "7" }),
  "auditor.findings": () => ({ list: [finding], nextCursor: "5" }),
  "auditor.acceptFinding": ({ reason, operator }) => ({ ...finding, accepted: { time, by: operator, reason } }),
  "platform.keysSince": () => ({ revision: 1, list: [backend], next: null }),
  "platform.begin": ({ writes }) => ({ outcomes: writes.map(() => ({ outcome: "run" as const })) }),
  "platform.credit": ({ userId }) => ({ userId, balanceAfter: 5 }),
  "platform.adjust": ({ userId }) => ({ userId, balanceAfter: 5 }),
  "platform.payout": ({ userId }) => ({ userId }),
  "platform.finish": ({ writes }) => ({ kept: writes.map(() => true) }),
  "webhook.create": () => ({ webhookId: "7", secret: "whsec_c2VjcmV0" }),
  "webhook.list": () => ({ list: [webhook], nextCursor: "7" }),
  "webhook.update": () => webhook,
  "webhook.delete": () => null,
  "webhook.rotate": () => ({ secret: "whsec_c2VjcmV0" }),
  "webhook.deliveries": () => ({ list: [delivery], nextCursor: "41" }),
  "webhook.replay": () => ({ replayed: 1, nextFrom: null }),
  "rank.room": () => shownRank,
  "rank.anchor": () => shownRank,
  "rank.global": () => shownRank,
  "im-router.tickets": ({ userIds }) => ({
    tickets: userIds.map(() => ({ address: "ws://127.0.0.1:8086/im", token: "im-token" })),
  }),
};

export interface Call {
  action: ActionName;
  params: Record<string, unknown>;
  requestId: string | null;
  meta: Record<string, unknown>;
}

/** By which the gateway reads revocations, restrictions and API keys all the time. */
const polled: ReadonlySet<ActionName> = new Set(["user.revocations", "user.restrictionsSince", "platform.keysSince"]);

/** Every call since the last `forget`, but those by which the gateway reads revocations, restrictions and API keys. */
export const calls: Call[] = [];
/** What an action answers instead of the usual, until `forget`. */
export let answers: Answers = {};

export function forget(): void {
  calls.length = 0;
  answers = {};
}

/** Throws where a call broke the contract of the action that it reached. */
export function checkAgainstContract({ action, params }: Call): void {
  const [service = "", name = ""] = action.split(".");
  const contract = contracts[service]?.[name];
  if (!contract) throw new Error(`no contract has ${action}`);
  checkParams(contract.params, params);
}

function fakeService(name: string): ServiceSchema {
  const actions: Record<string, unknown> = { health: () => ({ mysql: true, nats: true }) };
  const asked = (action: ActionName, ctx: Context<unknown>, params: Record<string, unknown>) => {
    const call = { action, params, requestId: ctx.requestID, meta: ctx.meta as Record<string, unknown> };
    if (!polled.has(action)) calls.push(call);
    const answer = answers[action] ?? usual[action];
    if (!answer) throw new Error(`no answer for ${action}`);
    return (answer as (params: unknown) => unknown)(params);
  };
  for (const short of Object.keys(contracts[name] ?? {})) {
    const action = `${name}.${short}` as ActionName;
    actions[short] = (ctx: Context<Record<string, unknown>>) => asked(action, ctx, ctx.params);
  }
  // A group is answered as its gifts are, one by one.
  if (name === "gift")
    actions.sendMany = async (ctx: Context<ParamsOf<"gift.sendMany">>): Promise<ResultOf<"gift.sendMany">> => {
      const each = (ctx.params.gifts as Record<string, unknown>[]).map(async (gift): Promise<GiftAnswer> => {
        try {
          return (await asked("gift.send", ctx, gift)) as GiftAnswer;
        } catch (error) {
          const failure = failureName(error);
          if (failure === undefined) throw error;
          return { failure, data: (error as { data: Record<string, unknown> }).data };
        }
      });
      return { answers: await Promise.all(each) };
    };
  // The staff service has it carried out by the service that does it, for the session's person.
  if (name === "staff")
    actions.carryOut = (ctx: Context<ParamsOf<"staff.carryOut">>) => {
      const { session, what, params } = ctx.params;
      return asked(carriedOut[what].action, ctx, { ...params, operator: `staff:${nameIn(session)}` });
    };
  return { name, actions } as ServiceSchema;
}

export const neighbourNames = Object.keys(contracts);

export function startNeighbours(names: readonly string[] = neighbourNames): Promise<ServiceBroker> {
  return startNode("neighbours", names.map(fakeService));
}

/** Resolves once logged-in requests are let in: the node has read the revocations, and who is banned. */
export function letsIn(broker: ServiceBroker): Promise<unknown> {
  const here = { nodeID: broker.nodeID };
  const ready = async () => {
    const report = await broker.call<HealthReport, object>("api-gateway.health", {}, here);
    return report.revocations === true && report.restrictions === true;
  };
  return eventually("revocations and restrictions are read", ready);
}

/** Starts a gateway that sees the neighbours (where there are any to see); resolves to its broker and base URL. */
export async function startGateway(
  seen: readonly string[] = neighbourNames,
): Promise<{ broker: ServiceBroker; base: string }> {
  const broker = await startNode("gateway", [gateway]);
  await broker.waitForServices([...seen], 10_000);
  if (seen.includes("user")) await letsIn(broker);
  const { port } = (broker.getLocalService("api-gateway") as unknown as Gateway).door;
  return { broker, base: `http://127.0.0.1:${port}` };
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  code: number;
  msg: string;
  data: unknown;
}

/** One request; `body` goes out as JSON unless it is text already. */
export async function send(
  url: string,
  { method = "POST", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const json = body !== undefined && typeof body !== "string";
  const response = await fetch(url, {
    method,
    headers: json ? { "Content-Type": "application/json", ...headers } : headers,
    body: json ? JSON.stringify(body) : (body as string | undefined),
    redirect: "manual",
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const { code, msg, data } = isJson ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, code, msg, data };
}

export const asAlice = { Authorization: `Bearer ${alice.token}` };
export const asOperator = { Authorization: `Bearer ${process.env.OPERATOR_TOKEN}` };
