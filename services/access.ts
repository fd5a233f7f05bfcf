import { type Caller, membersOf } from "../broker/bus/roles.ts";
import type { BroadcastEvents, Contracts } from "./contracts.ts";

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
const gatewayAndConsole: Callers = ["api-gateway", "console"];
const people: Callers = ["console"];
/** The door of the staff. */
const staffDoor: Callers = ["admin-gateway"];
const staffDoorAndConsole: Callers = ["admin-gateway", "console"];
/** What each of them may have made is in services/stream-access.ts. */
const consumers: Callers = ["living-room", "gift", "wallet", "notification", "auditor", "battle", "rank", "webhook"];
const streamUsers: Callers = [...consumers, "user", "payment", "im-router", "im-server", "platform", "staff"];

/** The callers of every action. One's own service is named too, where its nodes call each other. */
export const callers: CallersTable = {
  $node: { metrics: gateway },
  "api-gateway": { health: gateway },
  "admin-gateway": { health: gateway },
  user: {
    health: gateway,
    sendLoginCode: gateway,
    login: gateway,
    logout: gateway,
    revokeLogin: gateway,
    logoutAll: gateway,
    revocations: gateway,
    ofExternal: gateway,
    idsOfExternal: gateway,
    externalIdsOf: ["api-gateway", "gift", "webhook"],
    profile: ["api-gateway", "living-room"],
    profiles: ["rank", "battle"],
    find: staffDoor,
    profileForStaff: staffDoor,
    phoneOf: staffDoor,
    sessionsOf: staffDoor,
    endSessionsForStaff: staffDoor,
  },
  "living-room": {
    health: gateway,
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
    roomsOfAnchor: staffDoor,
    roomForStaff: staffDoor,
    roomsOfExternal: staffDoor,
    closeForStaff: staffDoor,
  },
  gift: {
    health: gateway,
    catalogue: gateway,
    send: gateway,
    sendMany: gateway,
    order: gateway,
    orderForPlatform: gateway,
    orderStory: staffDoor,
    records: [...gateway, ...staffDoor],
    create: staffDoor,
    update: staffDoor,
    takeOffShelf: staffDoor,
    allGifts: staffDoor,
    findOrder: staffDoorAndConsole,
    setShare: people,
    shares: people,
    settledSince: ["notification", "battle", "rank", "webhook"],
    settledBefore: ["battle"],
    totals: ["battle"],
    queueDepth: people,
  },
  wallet: {
    health: gateway,
    consumeForSendGift: ["gift"],
    balance: [...gatewayAndConsole, ...staffDoor],
    checkFunds: ["gift"],
    unusableOf: ["gift", "living-room", "battle"],
    statement: [...gatewayAndConsole, ...staffDoor],
    incomePostings: staffDoor,
    orderStory: staffDoor,
    creditsOf: ["payment"],
    refundsOf: ["payment"],
    refundsBetween: ["payment"],
    creditsBetween: ["payment", "notification"],
    income: [...gatewayAndConsole, ...staffDoor],
    payout: people,
    platformOrder: ["platform"],
    affectedGifts: staffDoor,
    holdIncome: staffDoor,
    releaseHold: staffDoor,
    freeze: staffDoor,
    unfreeze: staffDoor,
  },
  payment: {
    health: gateway,
    products: gateway,
    payChannels: gateway,
    pay: gateway,
    order: gateway,
    webhook: gateway,
    providerPage: gateway,
    ordersOfUser: staffDoor,
    findOrders: staffDoor,
    orderStory: staffDoor,
    findOrder: staffDoorAndConsole,
    refund: staffDoor,
    releaseOrder: staffDoor,
    allProducts: staffDoor,
    createProduct: staffDoor,
    updateProduct: staffDoor,
    topics: staffDoor,
    setTopic: staffDoor,
    parkedOrders: staffDoor,
    removeMark: staffDoor,
    comparedDays: staffDoor,
    differences: staffDoor,
    resolveDifference: staffDoor,
    takeBill: people,
    reconcile: people,
  },
  "im-router": {
    health: gateway,
    sendToUser: ["notification"],
    sendToUsers: ["notification"],
    sendToRoom: ["im-server"],
    roomGifts: ["gift"],
    battleState: ["battle"],
    battleScores: ["battle"],
    post: ["im-router"],
    closeRoom: ["living-room"],
    whereIs: people,
    attendance: ["living-room", "battle", ...staffDoor],
    giftFrame: staffDoor,
    tickets: gateway,
  },
  "im-server": {
    health: gateway,
    deliver: ["im-router"],
    replace: ["im-server"],
    emptyRoom: ["im-router"],
    holding: ["im-router"],
    status: ["im-router", "console"],
  },
  notification: { health: gateway, sendLoginCode: ["user"] },
  auditor: { health: gateway, findings: staffDoorAndConsole, acceptFinding: staffDoorAndConsole },
  provisioner: { health: gateway, makeStream: streamUsers, makeConsumer: consumers, markLoss: ["gift"] },
  battle: {
    health: gateway,
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
    health: gateway,
    createKey: people,
    listKeys: people,
    revokeKey: people,
    keysSince: gateway,
    begin: gateway,
    finish: gateway,
    credit: gateway,
    adjust: gateway,
    payout: gateway,
    proposals: people,
  },
  rank: {
    health: gateway,
    room: gateway,
    anchor: gateway,
    global: gateway,
    status: people,
    rebuild: people,
    verify: people,
  },
  webhook: {
    health: gateway,
    create: gateway,
    list: gateway,
    update: gateway,
    delete: gateway,
    rotate: gateway,
    deliveries: gateway,
    replay: gateway,
  },
  staff: {
    health: gateway,
    login: staffDoor,
    enrolBegin: staffDoor,
    enrolFinish: staffDoor,
    session: staffDoor,
    logout: staffDoor,
    changePassword: staffDoor,
    sessionsOf: staffDoor,
    endSession: staffDoor,
    begin: staffDoor,
    finish: staffDoor,
    audit: staffDoorAndConsole,
    persons: staffDoorAndConsole,
    addPerson: staffDoorAndConsole,
    setRole: staffDoorAndConsole,
    disablePerson: staffDoorAndConsole,
    enablePerson: staffDoorAndConsole,
    resetPerson: staffDoorAndConsole,
    endSessions: staffDoor,
  },
};

/** The services that send a broadcast. */
export const senders: { readonly [E in keyof BroadcastEvents]: Callers } = {
  "gift.catalogue-changed": ["gift"],
  "living-room.changed": ["living-room"],
  "wallet.account-changed": ["wallet"],
  "user.tokens-revoked": ["user"],
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
