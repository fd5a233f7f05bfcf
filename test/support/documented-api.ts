import { adminUrl, apiUrl, operate, Person, scene } from "./client.ts";
import { settledOrders } from "./outcomes.ts";
import { tokenOf } from "./tokens.ts";

export type Params = Record<string, unknown>;
/** An endpoint as the system documents it. */
export interface Operation {
  /** Where its listener is. */
  base: string;
  path: string;
  access: "public" | "login" | "staff";
  fields: string[];
}
/** By path: the params, and the login that calls with them where users call. */
export type HarmlessCalls = Record<string, { params: Params; caller: Pick<Person, "token"> }>;

type Described = {
  security: Record<string, unknown>[];
  requestBody?: { content: Record<string, { schema: { properties?: object } }> };
};

async function documentedAt(base: string, path: string, token?: string): Promise<[path: string, post: Described][]> {
  const response = await fetch(
    base + path,
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  const { paths } = (await response.json()) as { paths: Record<string, { post?: Described }> };
  return Object.entries(paths).flatMap(([name, { post }]) => (post ? [[name, post] as [string, Described]] : []));
}

const fieldsOf = ({ requestBody }: Described) =>
  Object.keys(requestBody?.content["application/json"]?.schema.properties ?? {});

/** Of the staff's API the persons' own endpoints have tests of their own: they log people in and out. */
const ofPersons = /^\/live\/admin\/(login|logout|session|enrol|password|mySessions|persons|audit)(\/|$)/;
/** These write whenever their params are well formed: something new, or that a move of money was refused. */
const alwaysWrites =
  /^\/live\/admin\/(keys\/create|webhooks\/create|share\/set|wallet\/(adjust|payout)|income\/holdFree)$/;

/** The endpoints with an envelope, of the users' port and of the staff's listener, as the system documents them. */
export async function documented(): Promise<Operation[]> {
  const users = await documentedAt(apiUrl(), "/openapi.json");
  const staff = await documentedAt(adminUrl(), "/openapi-admin.json", process.env.OPERATOR_TOKEN);
  return [
    ...users
      .filter(([path]) => !path.includes("/payNotify/"))
      .map(([path, post]): Operation => {
        const access = post.security.length > 0 ? "login" : "public";
        return { base: apiUrl(), path, access, fields: fieldsOf(post) };
      }),
    ...staff
      .filter(([path]) => !ofPersons.test(path) && !alwaysWrites.test(path))
      .map(([path, post]): Operation => ({ base: adminUrl(), path, access: "staff", fields: fieldsOf(post) })),
  ];
}

/** Params that are well formed, of calls that change nothing: they read, or are refused for a reason of the business. */
export async function harmlessCalls(): Promise<HarmlessCalls> {
  const { anchor, fan, roomId } = await scene();
  const poor = await Person.login();
  const sent = await fan.send(roomId, anchor.userId);
  await settledOrders([sent.data.orderId]);
  const payOrder = await fan.order(6, null);
  const frozen = await Person.login();
  await frozen.recharge(6);
  await operate("account/freeze", { userId: frozen.userId, reason: "already" });
  const api = "/live/api";
  const admin = "/live/admin";
  const gift = { giftName: "car", price: 5, coverImgUrl: "a.png", svgaUrl: "a.svga" };
  const gone = await Person.login();
  await gone.ask("userLogin/logout");
  const by = (caller: Pick<Person, "token">, params: Params = {}) => ({ caller, params });
  return {
    [`${api}/userLogin/sendLoginCode`]: by(poor, { phone: poor.phone }),
    [`${api}/userLogin/login`]: by(poor, { phone: "13800000000", code: "123456" }),
    [`${api}/userLogin/logout`]: by(gone),
    // The token of a user who does not exist.
    [`${api}/userLogin/logoutAll`]: by({ token: tokenOf("7") }),
    [`${api}/home/initPage`]: by(fan),
    [`${api}/living/startingLiving`]: by(anchor, { type: 1, roomName: "again" }),
    [`${api}/living/closeLiving`]: by(fan, { roomId }),
    [`${api}/living/list`]: by(fan, { type: 1, page: 1, pageSize: 10 }),
    [`${api}/living/anchorConfig`]: by(fan, { roomId }),
    [`${api}/living/moderators`]: by(anchor),
    [`${api}/living/addModerator`]: by(anchor, { userId: "999997" }),
    [`${api}/living/removeModerator`]: by(anchor, { userId: fan.userId }),
    [`${api}/living/roomRole`]: by(fan, { roomId }),
    [`${api}/living/mute`]: by(fan, { roomId, userId: anchor.userId, minutes: 10, reason: "not a moderator" }),
    [`${api}/living/unmute`]: by(fan, { roomId, userId: anchor.userId }),
    [`${api}/living/removeChat`]: by(fan, { roomId, msgId: "3f0e9c1a-0000-4000-8000-000000000001" }),
    [`${api}/living/onlinePk`]: by(fan, { roomId }),
    [`${api}/living/offlinePk`]: by(fan, { roomId }),
    [`${api}/pk/invite`]: by(fan, { roomId, opponentRoomId: roomId + 1, durationS: 300 }),
    [`${api}/pk/accept`]: by(fan, { battleId: "999997" }),
    [`${api}/pk/decline`]: by(fan, { battleId: "999997" }),
    [`${api}/pk/cancel`]: by(fan, { battleId: "999997" }),
    [`${api}/pk/end`]: by(fan, { battleId: "999997" }),
    [`${api}/pk/show`]: by(fan, { battleId: "999997", roomId }),
    [`${api}/pk/history`]: by(fan, { userId: fan.userId, cursor: "41", limit: 20 }),
    [`${api}/rank/room`]: by(fan, { roomId }),
    [`${api}/rank/anchor`]: by(fan, { anchorId: anchor.userId, span: "day" }),
    [`${api}/rank/global`]: by(fan, { by: "anchors", span: "all" }),
    [`${api}/im/getImConfig`]: by(fan),
    [`${api}/gift/listGift`]: by(fan),
    [`${api}/gift/send`]: by(poor, {
      ...{ giftId: 24, roomId, receiverId: anchor.userId, type: 0, count: 1, requestId: "bad-input-0001" },
    }),
    [`${api}/gift/order`]: by(fan, { orderId: sent.data.orderId }),
    [`${api}/gift/records`]: by(fan, { direction: "sent", roomId, cursor: "41", limit: 20 }),
    [`${api}/bank/products`]: by(fan, { type: 0 }),
    [`${api}/bank/payProduct`]: by(fan, { productId: 10, paySource: 1, payChannel: 1 }),
    [`${api}/bank/order`]: by(fan, { orderId: payOrder }),
    [`${api}/bank/trades`]: by(fan, { cursor: "9", limit: 20 }),
    [`${api}/bank/income`]: by(anchor),
    [`${admin}/gift/all`]: by(fan),
    [`${admin}/gift/create`]: by(fan, { giftId: 22, ...gift }),
    [`${admin}/gift/update`]: by(fan, { giftId: 999_997, ...gift, status: 1 }),
    [`${admin}/gift/offShelf`]: by(fan, { giftId: 999_997 }),
    [`${admin}/account/freeze`]: by(fan, { userId: frozen.userId, reason: "again" }),
    [`${admin}/account/unfreeze`]: by(fan, { userId: fan.userId, reason: "again" }),
    [`${admin}/order/query`]: by(fan, { orderId: payOrder }),
    [`${admin}/order/refund`]: by(fan, { orderId: payOrder, reason: "not paid" }),
    [`${admin}/order/release`]: by(fan, { orderId: payOrder, reason: "not held" }),
    [`${admin}/income/affected`]: by(fan, {
      ...{ orderId: payOrder, anchorId: anchor.userId, state: "open", cursor: "41", limit: 20 },
    }),
    [`${admin}/income/hold`]: by(fan, { orderId: payOrder, anchorId: anchor.userId, reason: "not refunded" }),
    [`${admin}/income/release`]: by(fan, { orderId: payOrder, anchorId: anchor.userId, reason: "not held" }),
    [`${admin}/income/releaseFree`]: by(fan, { holdId: "bad-input-none", reason: "not held" }),
    [`${admin}/proposals/list`]: by(fan, { open: 1, subject: payOrder, cursor: "7-9", limit: 20 }),
    [`${admin}/proposals/approve`]: by(fan, { proposalId: "s999999997", reason: "unknown" }),
    [`${admin}/proposals/decline`]: by(fan, { proposalId: "p999999997", reason: "unknown" }),
    [`${admin}/product/list`]: by(fan),
    [`${admin}/product/create`]: by(fan, { productId: 6, name: "taken", price: 1, coins: 1_000 }),
    [`${admin}/product/update`]: by(fan, { productId: 999_997, name: "none", price: 1, coins: 1_000, status: 1 }),
    [`${admin}/product/offShelf`]: by(fan, { productId: 999_997 }),
    [`${admin}/topic/list`]: by(fan),
    [`${admin}/topic/set`]: by(fan, { bizCode: 10_001, topic: "pay.refund", status: 1, remark: "refused" }),
    [`${admin}/parked/list`]: by(fan, { mark: "paidTwice", cursor: payOrder, limit: 20 }),
    [`${admin}/parked/remove`]: by(fan, {
      ...{ orderId: payOrder, mark: "paidTwice", transactionId: "42", reason: "not marked" },
    }),
    [`${admin}/books/findings`]: by(fan, { accepted: 0, cursor: "41", limit: 20 }),
    [`${admin}/books/accept`]: by(fan, { id: 999_997, detail: "none", reason: "unknown" }),
    [`${admin}/reconciliation/days`]: by(fan),
    [`${admin}/reconciliation/differences`]: by(fan, {
      ...{ date: "2026-11-22", channel: "wechat", cursor: "41", limit: 20 },
    }),
    [`${admin}/reconciliation/resolve`]: by(fan, { id: 999_997, reason: "unknown" }),
    [`${admin}/restriction/add`]: by(fan, {
      ...{ userId: "999997", kind: "mute", roomId, until: "2999-01-01T00:00:00Z", reason: "no such user" },
      writeId: "0190a2b4-0000-7000-8000-000000000000",
    }),
    [`${admin}/restriction/lift`]: by(fan, { restrictionId: "999997", reason: "unknown" }),
    [`${admin}/restriction/list`]: by(fan, { userId: fan.userId, roomId, active: 1, cursor: "41", limit: 20 }),
    [`${admin}/search`]: by(fan, { q: payOrder }),
    [`${admin}/figures`]: by(fan),
    [`${admin}/order/story`]: by(fan, { orderId: sent.data.orderId }),
    [`${admin}/order/ofPayKey`]: by(fan, { keyName: "none", cursor: "41" }),
    [`${admin}/room/get`]: by(fan, { roomId }),
    [`${admin}/room/chat`]: by(fan, { roomId }),
    [`${admin}/room/close`]: by(fan, { roomId: 999_997, reason: "unknown" }),
    ...Object.fromEntries(
      ["statement", "payments", "giftsSent", "giftsReceived", "rooms", "incomePostings"].map((list) => [
        `${admin}/user/${list}`,
        by(fan, { userId: fan.userId, cursor: "41", limit: 20 }),
      ]),
    ),
    [`${admin}/user/get`]: by(fan, { userId: fan.userId }),
    [`${admin}/user/phone`]: by(fan, { userId: "999997", reason: "unknown" }),
    [`${admin}/user/sessions`]: by(fan, { userId: fan.userId }),
    [`${admin}/user/erase`]: by(fan, { userId: "999997", giveUp: 0, reason: "unknown" }),
    [`${admin}/user/erasure`]: by(fan, { userId: fan.userId }),
    [`${admin}/user/endSessions`]: by(fan, { userId: "999997", reason: "unknown" }),
    [`${admin}/deadLetters/list`]: by(fan, { cursor: "16", limit: 20 }),
    [`${admin}/deadLetters/get`]: by(fan, { id: 999_997 }),
    [`${admin}/deadLetters/replay`]: by(fan, { id: 999_997, reason: "unknown", keyIsBack: true }),
    [`${admin}/deadLetters/giveUp`]: by(fan, { id: 999_997, reason: "unknown" }),
    [`${admin}/deadLetters/handled`]: by(fan, { orderId: payOrder, cursor: "9", limit: 20 }),
    [`${admin}/share/list`]: by(fan, { userId: anchor.userId, cursor: "4", limit: 20 }),
    [`${admin}/keys/list`]: by(fan, { cursor: "k3v9w0a1b2c3", limit: 20 }),
    [`${admin}/keys/revoke`]: by(fan, { keyId: "k00000000000" }),
    [`${admin}/webhooks/list`]: by(fan, { cursor: "6", limit: 20 }),
    [`${admin}/webhooks/update`]: by(fan, {
      ...{ webhookId: "999997", url: "https://hooks.example.com/a", events: ["gift.settled"], orderBy: "none" },
      ...{ description: "unknown", enabled: false },
    }),
    [`${admin}/webhooks/delete`]: by(fan, { webhookId: "999997" }),
    [`${admin}/webhooks/rotate`]: by(fan, { webhookId: "999997", writeId: "0190a2b4-0000-7000-8000-000000000000" }),
    [`${admin}/webhooks/deliveries`]: by(fan, { webhookId: "999997", status: "failed", cursor: "41", limit: 20 }),
    [`${admin}/webhooks/replay`]: by(fan, {
      ...{ webhookId: "999997", deliveryId: "41" },
      ...{ from: "2026-11-22T00:00:00.000Z", to: "2026-11-23T00:00:00.000Z" },
    }),
    [`${admin}/chat/remove`]: by(fan, { roomId, msgId: "3f0e9c1a-0000-4000-8000-000000000001", reason: "not there" }),
  };
}
