import { type Caller, membersOf } from "../broker/bus/roles.ts";
import type { BroadcastEvents, Contracts } from "./contracts.ts";
import { moderationCallers, restrictionCallers } from "./moderation-access.ts";

/**
 * Who may call what on the bus. Callers, callees and the permissions of nats-server all follow this table
 * (docs/decisions/0052-a-node-speaks-for-itself-alone.md). An action that is missing here does not compile.
 */

type Callers = readonly Caller[];
type WithHealth<Actions> = { readonly [A in keyof Actions | "health"]: Callers };
type CallersTable = { readonly [S in keyof Contracts]: WithHealth<Contracts[S]> } & {
  readonly "api-gateway": WithHealth<object>;
  readonly "admin-gateway": WithHealth<object>;
  /** Of Moleculer's own actions, which every node has. All others are refused remotely: they show options and settings. */
  readonly $node: { readonly metrics: Callers };
};

const gateway: Callers = ["api-gateway"];
/** That of users and of the platform, and that of the staff. Both ask every node for its health. */
const doors: Callers = ["api-gateway", "admin-gateway"];
const gatewayAndConsole: Callers = ["api-gateway", "console"];
const people: Callers = ["console"];
/**
 * What moves money by hand, or is near to it: the staff service alone, which checks the person's session, the right and,
 * of moves, four eyes.
 */
const staffAlone: Callers = ["staff"];
/** The door of the staff. */
const staffDoor: Callers = ["admin-gateway"];
const staffDoorAndConsole: Callers = ["admin-gateway", "console"];
const staffAndConsole: Callers = ["staff", "console"];
/** What each of them may have made is in services/stream-access.ts. */
const consumers: Callers = ["living-room", "gift", "wallet", "notification", "auditor", "battle", "rank", "webhook"];
const streamUsers: Callers = [...consumers, "user", "payment", "im-router", "im-server", "platform", "staff"];

/** Several actions with the same callers. */
const each = <Name extends string>(allowed: Callers, ...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, allowed])) as Record<Name, Callers>;

/** The erasure of a user, which two persons have decided on. */
const erasure = each(staffAlone, "erasureObstacles", "eraseUser");

/** The callers of every action. One's own service is named too, where its nodes call each other. */
export const callers: CallersTable = {
  $node: { metrics: doors },
  "api-gateway": { health: doors },
  "admin-gateway": { health: doors },
  user: {
    health: doors,
    sendLoginCode: gateway,
    login: gateway,
    logout: gateway,
    revokeLogin: gateway,
    logoutAll: gateway,
    revocations: gateway,
    ofExternal: gateway,
    idsOfExternal: gateway,
    externalIdsOf: ["api-gateway", "gift", "webhook"],
    profile: ["api-gateway", "living-room", "staff"],
    phoneOf: staffAlone,
    ...each(staffDoor, "find", "profileForStaff", "sessionsOf", "endSessionsForStaff"),
    profiles: ["api-gateway", "rank", "battle"],
    ...restrictionCallers,
    eraseUser: staffAlone,
  },
  "living-room": {
    health: doors,
    figures: staffDoor,
    start: gateway,
    close: gateway,
    list: gatewayAndConsole,
    find: ["api-gateway", "im-server", "battle", "rank"],
    anchorsOf: ["gift", "battle"],
    anchorEntered: ["im-server"],
    setWatchNumbers: ["im-server"],
    openForPlatform: gateway,
    closeForPlatform: gateway,
    ofAnchor: [...gateway, ...staffDoor],
    idsOfExternal: gateway,
    externalIdsOf: ["api-gateway", "gift", "webhook"],
    linkGuest: ["battle"],
    unlinkGuest: ["battle"],
    ...each(staffDoor, "roomsOfAnchor", "roomForStaff", "roomsOfExternal", "closeForStaff"),
    ...moderationCallers,
    ...erasure,
  },
  gift: {
    health: doors,
    catalogue: gateway,
    send: gateway,
    sendMany: gateway,
    order: gateway,
    orderForPlatform: gateway,
    orderStory: staffDoor,
    records: [...gateway, ...staffDoor],
    ...each(staffAlone, "create", "update", "takeOffShelf"),
    allGifts: staffDoor,
    findOrder: staffDoorAndConsole,
    setShare: staffAndConsole,
    shares: staffDoorAndConsole,
    settledSince: ["notification", "battle", "rank", "webhook"],
    settledBefore: ["battle"],
    totals: ["battle"],
    queueDepth: staffDoorAndConsole,
    figures: staffDoor,
  },
  wallet: {
    health: doors,
    consumeForSendGift: ["gift"],
    balance: [...gatewayAndConsole, ...staffDoor],
    checkFunds: ["gift"],
    unusableOf: ["gift", "living-room", "battle"],
    statement: [...gatewayAndConsole, ...staffDoor],
    ...each(staffDoor, "incomePostings", "orderStory"),
    creditsOf: ["payment"],
    refundsOf: ["payment"],
    refundsBetween: ["payment"],
    creditsBetween: ["payment", "notification"],
    income: [...gatewayAndConsole, ...staffDoor],
    ...each(staffAlone, "payout", "holdIncome", "releaseHold", "holdFree", "releaseFree", "freeHold"),
    platformOrder: ["platform"],
    affectedGifts: ["admin-gateway", "staff"],
    ...each(staffAlone, "freeze", "unfreeze"),
    ...erasure,
    bucketServers: ["gift"],
    ...each(people, "buckets", "moveBucket", "repairGates", "closeGate"),
  },
  payment: {
    health: doors,
    figures: staffDoor,
    ordersOfKey: staffDoorAndConsole,
    products: gateway,
    payChannels: gateway,
    pay: gateway,
    order: gateway,
    webhook: gateway,
    providerPage: gateway,
    ...each(staffDoor, "ordersOfUser", "findOrders", "orderStory"),
    findOrder: ["admin-gateway", "console", "staff"],
    ...each(staffAlone, "refund", "releaseOrder"),
    ...each(staffDoor, "allProducts", "topics", "parkedOrders", "comparedDays", "differences"),
    ...each(staffAlone, "createProduct", "updateProduct", "setTopic", "removeMark", "resolveDifference"),
    ...erasure,
    takeBill: people,
    reconcile: people,
  },
  "im-router": {
    health: doors,
    sendToUser: ["notification"],
    sendToUsers: ["notification"],
    sendToRoom: ["im-server"],
    roomGifts: ["gift"],
    battleState: ["battle"],
    battleScores: ["battle"],
    post: ["im-router"],
    closeRoom: ["living-room"],
    removeChat: ["living-room", "admin-gateway"],
    eraseChat: ["living-room"],
    whereIs: people,
    attendance: ["living-room", "battle", ...staffDoor],
    giftFrame: staffDoor,
    roomChat: staffDoor,
    tickets: gateway,
  },
  "im-server": {
    health: doors,
    deliver: ["im-router"],
    replace: ["im-server"],
    emptyRoom: ["im-router"],
    holding: ["im-router"],
    status: ["im-router", "admin-gateway", "console"],
  },
  notification: { health: doors, sendLoginCode: ["user"] },
  auditor: {
    health: doors,
    figures: staffDoor,
    findings: staffDoorAndConsole,
    acceptFinding: staffAndConsole,
  },
  provisioner: {
    health: doors,
    makeStream: streamUsers,
    makeConsumer: consumers,
    markLoss: ["gift"],
    deadLetters: staffDoor,
    deadLetter: ["admin-gateway", "staff"],
    countDeadLetters: staffDoor,
    wholeDeadLetter: ["staff"],
    replayDeadLetter: ["staff"],
    removeDeadLetter: ["staff"],
  },
  battle: {
    health: doors,
    invite: gateway,
    accept: gateway,
    decline: gateway,
    cancel: gateway,
    end: gateway,
    join: gateway,
    leave: gateway,
    show: gatewayAndConsole,
    history: gateway,
    ofRooms: ["im-server"],
    ended: people,
    verify: people,
  },
  platform: {
    health: doors,
    figures: staffDoor,
    createKey: staffAndConsole,
    listKeys: staffDoorAndConsole,
    revokeKey: staffAndConsole,
    keysSince: gateway,
    begin: gateway,
    finish: gateway,
    credit: gateway,
    adjust: gateway,
    payout: gateway,
    proposals: ["console", "staff"],
    ...erasure,
    ...each(staffAlone, "countStaffMove", "renewStaffMove", "uncountStaffMove", "adjustByStaff", "decide"),
  },
  rank: {
    health: doors,
    room: gateway,
    anchor: gateway,
    global: gateway,
    status: people,
    rebuild: people,
    verify: people,
  },
  webhook: {
    health: doors,
    create: doors,
    list: doors,
    update: doors,
    delete: doors,
    rotate: doors,
    deliveries: doors,
    replay: doors,
  },
  staff: {
    health: doors,
    ...each(staffDoor, "figures", "replayDeadLetter", "giveUpDeadLetter", "handledDeadLetters"),
    ...each(staffDoor, "login", "enrolBegin", "enrolFinish", "session", "logout"),
    ...each(staffDoor, "changePassword", "sessionsOf", "endSession"),
    begin: staffDoor,
    finish: staffDoor,
    ...each(staffDoor, "moveMoney", "proposals", "decide", "carryOut", "erasure"),
    audit: staffDoorAndConsole,
    persons: staffDoorAndConsole,
    addPerson: staffDoorAndConsole,
    setRole: staffDoorAndConsole,
    disablePerson: staffDoorAndConsole,
    enablePerson: staffDoorAndConsole,
    resetPerson: staffDoorAndConsole,
    endSessions: staffDoor,
  },
  archiver: { health: doors, ...each(people, "status", "run") },
};

/** The services that send a broadcast. */
export const senders: { readonly [E in keyof BroadcastEvents]: Callers } = {
  "gift.catalogue-changed": ["gift"],
  "living-room.changed": ["living-room"],
  "wallet.account-changed": ["wallet"],
  "user.tokens-revoked": ["user"],
  "user.erased": ["user"],
  "user.restrictions-changed": ["user"],
  "platform.keys-changed": ["platform"],
};

/** Every action of the table by its full name, e.g. `wallet.balance`, with its callers. */
export const actionCallers: ReadonlyMap<string, Callers> = new Map(
  Object.entries(callers).flatMap(([service, actions]) =>
    Object.entries(actions as Record<string, Callers>).map(([name, own]) => [`${service}.${name}`, own] as const),
  ),
);

/** Every broadcast with its senders. */
export const broadcastSenders: ReadonlyMap<string, Callers> = new Map(Object.entries(senders));

function isAmong(role: string, allowed: Callers = []): boolean {
  const members = membersOf(role);
  return members !== undefined && allowed.some((one) => members.has(one));
}

/** Whether a node of this role may call an action of another node. What is not in the table nobody may call. */
export function mayCall(role: string, action: string): boolean {
  return isAmong(role, actionCallers.get(action));
}

/** Whether a node of this role may send a broadcast to other nodes. */
export function maySend(role: string, event: string): boolean {
  return isAmong(role, broadcastSenders.get(event));
}
