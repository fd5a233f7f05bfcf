/**
 * Every failure of a request: its internal name, its code and HTTP status for clients, and its text in both languages.
 * Clients rely on the codes; texts are for people. Services throw `fail(name)` (broker/failure.ts), and the gateway
 * answers with the row of the name.
 */
interface FailureRow {
  readonly code: number;
  /** Business outcomes have status 200; faults of the request or of the system have their HTTP status. */
  readonly http: number;
  readonly zh: string;
  readonly en: string;
}

const table = {
  badRequest: { code: 400, http: 400, zh: "参数错误", en: "bad request" },
  notFound: { code: 404, http: 404, zh: "路径不存在", en: "no such path" },
  tooLarge: { code: 413, http: 413, zh: "请求体过大", en: "request body too large" },
  internal: { code: 500, http: 500, zh: "系统异常", en: "internal error" },
  unavailable: { code: 503, http: 503, zh: "服务暂不可用，请稍后再试", en: "service unavailable, try again later" },
  /** A fault of this system: a list was not cut. It is not retried, since it can never succeed. */
  messageTooLarge: { code: 500, http: 500, zh: "系统异常", en: "internal error" },
  /** Between services: the caller is not in the table of who may call what (services/access.ts). It is not retried. */
  callerRefused: { code: 403, http: 403, zh: "无权调用", en: "the caller may not call this" },
  /** Between services: an order to move money that the service did not sign that may give it. It is not retried. */
  orderForged: { code: 500, http: 500, zh: "系统异常", en: "internal error" },
  invalidParam: { code: 100001, http: 400, zh: "参数异常", en: "invalid parameter" },
  notLoggedIn: { code: 100002, http: 401, zh: "用户token异常", en: "not logged in" },
  scopeMissing: { code: 100003, http: 403, zh: "没有权限", en: "not allowed: the key lacks the scope" },
  notAllowed: { code: 100003, http: 403, zh: "没有权限", en: "not allowed" },
  roleMissing: { code: 100003, http: 403, zh: "没有权限", en: "not allowed: your role lacks the right" },
  requestForged: {
    code: 100003,
    http: 403,
    zh: "请求不是来自员工后台",
    en: "the request is not of the staff page: it is of another origin, or its X-CSRF-Token is missing or wrong",
  },
  tooMany: { code: -10001, http: 429, zh: "请求过于频繁", en: "too many requests" },
  startTooOften: {
    code: -10001,
    http: 429,
    zh: "开播请求过于频繁，请稍后再试",
    en: "too many start requests, try again later",
  },
  closeTooOften: {
    code: -10001,
    http: 429,
    zh: "关播请求过于频繁，请稍后再试",
    en: "too many close requests, try again later",
  },

  business: { code: 501, http: 200, zh: "业务异常", en: "business error" },
  smsTooOften: {
    code: 500,
    http: 200,
    zh: "短信发送太频繁，请稍后再试",
    en: "a code was sent already, try again later",
  },
  smsPhoneLimit: {
    code: 500,
    http: 200,
    zh: "该手机号今日获取验证码次数已达上限，请明天再试",
    en: "no more codes for this phone today, try again tomorrow",
  },
  smsBudgetSpent: {
    code: 500,
    http: 200,
    zh: "今日短信发送量已达上限，请明天再试",
    en: "no more codes today, try again tomorrow",
  },
  smsCodeExpired: { code: 501, http: 200, zh: "验证码已过期", en: "the code has expired" },
  smsCodeWrong: { code: 501, http: 200, zh: "验证码校验失败", en: "the code is wrong" },
  userUnknown: { code: 501, http: 200, zh: "用户不存在", en: "no such user" },
  anchorElsewhere: {
    code: 501,
    http: 200,
    zh: "主播正在另一个直播间直播",
    en: "the anchor is live in a room with another externalRoomId",
  },
  externalRoomTaken: {
    code: 501,
    http: 200,
    zh: "该外部直播间编号正被另一主播使用",
    en: "another anchor is live in the room with this externalRoomId",
  },
  notYourRoom: { code: 501, http: 200, zh: "只有主播才能关播", en: "only the anchor can close the room" },
  restrictionUnknown: { code: 501, http: 200, zh: "限制记录不存在", en: "no such restriction" },
  restrictionLimit: {
    code: 501,
    http: 200,
    zh: "该直播间的禁言数量已达上限",
    en: "this room has the largest number of mutes already",
  },
  moderatorLimit: {
    code: 501,
    http: 200,
    zh: "房管数量已达上限",
    en: "the anchor has the largest number of moderators already",
  },
  chatUnknown: { code: 501, http: 200, zh: "该聊天消息不存在或已过期", en: "no such chat in the room's history" },
  giftOrderUnknown: { code: 501, http: 200, zh: "送礼订单不存在", en: "no such gift order" },
  giftIdTaken: { code: 501, http: 200, zh: "礼物编号已存在", en: "this gift id exists already" },
  payOrderUnknown: { code: 501, http: 200, zh: "支付订单不存在", en: "no such order" },
  payOrderState: { code: 501, http: 200, zh: "订单当前状态不允许该操作", en: "the order's status does not allow this" },
  productUnknown: { code: 501, http: 200, zh: "商品不存在", en: "no such product" },
  productIdTaken: { code: 501, http: 200, zh: "商品编号已存在", en: "this product id exists already" },
  topicRefused: { code: 501, http: 200, zh: "该业务码不能使用此主题", en: "this biz code may not have this topic" },
  markStays: { code: 501, http: 200, zh: "该标记不能移除", en: "this mark may not be taken off" },
  differenceUnknown: { code: 501, http: 200, zh: "对账差异不存在", en: "no such difference" },
  webhookUrlRefused: {
    code: 100001,
    http: 400,
    zh: "回调地址必须为https，不能包含用户名或密码，也不能指向内网地址",
    en: "a webhook's URL must be https, without user name or password, and must not lead to a private address",
  },
  webhookUnknown: { code: 501, http: 200, zh: "回调订阅不存在", en: "no such webhook" },
  webhookLimit: { code: 501, http: 200, zh: "回调订阅数量已达上限", en: "there are as many webhooks as may be" },
  deliveryUnknown: { code: 501, http: 200, zh: "投递记录不存在", en: "no such delivery" },
  findingUnknown: { code: 501, http: 200, zh: "账目差异不存在", en: "no such difference of the books" },
  findingChanged: { code: 501, http: 200, zh: "账目差异已变化", en: "the difference has changed, list it again" },
  findingRefused: { code: 501, http: 200, zh: "该类账目差异不能接受", en: "no difference of this kind is accepted" },
  deadLetterGone: {
    code: 501,
    http: 200,
    zh: "死信不存在或已被处理",
    en: "no such dead letter, or somebody has handled it",
  },
  deadLetterRefused: { code: 501, http: 200, zh: "该死信不能这样处理", en: "this may not be done to this dead letter" },
  staffLoginWrong: {
    code: 501,
    http: 200,
    zh: "账号、密码或验证码错误",
    en: "the name, the password or the code is wrong",
  },
  setupCodeWrong: {
    code: 501,
    http: 200,
    zh: "账号或设置码不正确，或设置码已过期；请管理员重置",
    en: "the name or the setup code is wrong, or it has expired: ask an admin for a new one",
  },
  totpWrong: { code: 501, http: 200, zh: "动态验证码错误", en: "the code of the authenticator app is wrong" },
  passwordWeak: {
    code: 100001,
    http: 400,
    zh: "密码至少12个字符，不能是账号、纯数字、连续或重复的字符，也不能过于常见",
    en: "at least 12 characters: no common password, nor the name, digits alone, a sequence or a repetition",
  },
  personUnknown: { code: 501, http: 200, zh: "员工不存在", en: "no such person" },
  personTaken: { code: 501, http: 200, zh: "该账号已存在", en: "there is a person of this name already" },
  personState: { code: 501, http: 200, zh: "员工当前状态不允许该操作", en: "the person's state does not allow this" },
  lastAdmin: {
    code: 501,
    http: 200,
    zh: "不能停用、重置或降级最后一位管理员",
    en: "the last active admin cannot be disabled, reset or given another role",
  },
  sessionUnknown: { code: 501, http: 200, zh: "会话不存在", en: "no such session" },
  keyUnknown: { code: 501, http: 200, zh: "API密钥不存在", en: "no such API key" },
  proposalUnknown: { code: 501, http: 200, zh: "提案不存在", en: "no such proposal" },
  ownProposal: { code: 501, http: 200, zh: "不能审批自己的提案", en: "nobody decides on a proposal of their own" },
  decidesLater: {
    code: 501,
    http: 200,
    zh: "新加入、被重置或刚获得审批角色的员工72小时内不能审批",
    en: "who was added, reset or given a role that decides on the page decides 72 hours later",
  },
  erasureBlocked: {
    code: 501,
    http: 200,
    zh: "该用户暂不能注销：有未完结的款项、直播或提案，或余额、收益未放弃",
    en: "the user cannot be erased yet: money, a room or a move is open, or coins or income are not given up",
  },
  refundUnknown: { code: 501, http: 200, zh: "账本中没有该订单的退款", en: "no refund of this order in the ledger" },
  holdState: {
    code: 501,
    http: 200,
    zh: "没有可以暂扣或解除的收益",
    en: "nothing of this can be held or released",
  },
  battleUnknown: { code: 501, http: 200, zh: "PK不存在", en: "no such battle" },
  notYourBattle: { code: 501, http: 200, zh: "无权操作该PK", en: "not your battle" },
  battleState: { code: 501, http: 200, zh: "PK当前状态不允许该操作", en: "the battle's state does not allow this" },
  battleWithSelf: { code: 501, http: 200, zh: "不能与自己PK", en: "you cannot battle against yourself" },
  roomNotPk: { code: 501, http: 200, zh: "该直播间不是PK直播间", en: "the room is not of the PK type" },
  payChannelClosed: { code: 501, http: 200, zh: "支付渠道未配置", en: "this payment channel is not configured" },

  roomTypeMissing: { code: 10001, http: 200, zh: "需要给定直播间类型", en: "room type missing" },
  phoneMissing: { code: 10002, http: 200, zh: "手机号不能为空", en: "phone missing" },
  phoneMalformed: { code: 10003, http: 200, zh: "手机号格式异常", en: "phone malformed" },
  smsCodeMalformed: { code: 10004, http: 200, zh: "验证码格式异常", en: "code malformed" },
  giftUnknown: { code: 10005, http: 200, zh: "礼物信息异常", en: "no such gift, or not on sale" },
  giftNotSent: { code: 10006, http: 200, zh: "送礼异常", en: "gift could not be sent" },
  /** The platform's gate refused the gift: the answer has its own code and text. */
  giftGated: { code: 10006, http: 200, zh: "送礼未被允许", en: "the gift was not allowed" },
  alreadyLinked: { code: 10007, http: 200, zh: "目前正有人连线，请稍后再试", en: "somebody is linked already" },
  giftToSelf: { code: 10008, http: 200, zh: "不能给自己送礼", en: "you cannot send a gift to yourself" },
  roomNotLive: { code: 10009, http: 200, zh: "直播间不存在或已关播", en: "room not live, or receiver not in it" },
  balanceShort: { code: 10010, http: 200, zh: "余额不足", en: "insufficient balance" },
  idempotencyConflict: {
    code: 10011,
    http: 200,
    zh: "重复的请求号，内容不一致（幂等键、请求号或订单号已用于其他内容）",
    en: "this idempotency key, request id or order id was used with other content",
  },
  accountUnusable: { code: 10012, http: 200, zh: "账户不可用", en: "account invalid or frozen" },
  muted: { code: 10013, http: 200, zh: "你已被禁言", en: "you are muted" },
  banned: { code: 10014, http: 200, zh: "你已被封禁", en: "you are banned" },
} as const satisfies Record<string, FailureRow>;

export type FailureName = keyof typeof table;

export const failures: Readonly<Record<FailureName, FailureRow>> = Object.freeze(table);

/** Whether a received string (an error's `type`) is the name of a row of the table. */
export function isFailureName(name: unknown): name is FailureName {
  return typeof name === "string" && Object.hasOwn(failures, name);
}
