/** A user's page: who it is, the account, the income, what is in force against them, and every list about them. */
import { tellFailure } from "/js/busy.js";
import { h } from "/js/dom.js";
import { tabs } from "/js/views/tabs.js";
import { endSessions, freeze, showPhone, unfreeze } from "../actions/account.js";
import { erase } from "../actions/erasure.js";
import { adjust, holdFree, payout, releaseFree } from "../actions/money.js";
import { restrict } from "../actions/restrictions.js";
import { hrefOf, noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, face, facts, incomplete, timeOf } from "../cells.js";
import {
  giftsReceivedColumns,
  giftsSentColumns,
  incomeColumns,
  incomeFacts,
  orderHref,
  paymentColumns,
  roomColumns,
  statementColumns,
} from "../columns.js";
import { coins, number, time } from "../format.js";
import { openHolds } from "../free-holds.js";
import { isInForce, restrictionColumns } from "../restriction-table.js";
import { createTable } from "../table.js";
import { auditTable } from "./audit.js";

export const userView = { path: "user/:userId", title: "userTitle", right: "read", show };

const FROZEN = 2;
const INVALID = 0;

const LISTS = [
  { tab: "statement", path: "user/statement", columns: statementColumns },
  { tab: "payments", path: "user/payments", columns: paymentColumns, href: orderHref },
  { tab: "giftsSent", path: "user/giftsSent", columns: giftsSentColumns, href: orderHref },
  { tab: "giftsReceived", path: "user/giftsReceived", columns: giftsReceivedColumns, href: orderHref },
  { tab: "income", path: "user/incomePostings", columns: incomeColumnsOf },
  { tab: "rooms", path: "user/rooms", columns: roomColumns },
  { tab: "restrictions", path: "restriction/list", columns: (of) => restrictionColumns({ ...of, withUser: false }) },
  { tab: "sessions", path: "user/sessions", columns: sessionColumns() },
  { tab: "audit", right: "audit", lead: "auditOfUser" },
];

async function show(root, { userId, tab }, session) {
  const head = h("div", { class: "user-head" });
  const list = h("div", { class: "user-list" });
  let restart = () => {};

  async function reload() {
    const user = await call("user/get", { userId }, session);
    if (session.signal.aborted) return;
    head.replaceChildren(...headOf(user, session, refresh).filter(Boolean));
  }

  /** After an action: the head and the list on show are read again. */
  function refresh() {
    restart();
    session.refreshCounts();
    reload().catch(tellFailure);
  }

  await reload();
  if (session.signal.aborted) return;
  root.append(head, list);
  const lists = LISTS.filter(({ right }) => session.has(right));
  const chosen = lists.find((one) => one.tab === tab) ?? lists[0];
  const place = h("div", {});
  list.append(tabs("userLists", lists.map(choice), chosen.tab, open), place);
  open(chosen.tab);

  function open(name) {
    noteInAddress({ tab: name === lists[0].tab ? undefined : name });
    const of = lists.find((one) => one.tab === name);
    const table = tableOf(of, { userId, session, refresh });
    place.replaceChildren(...[of.lead && h("p", { class: "lead", say: of.lead }), table.element].filter(Boolean));
    restart = table.restart;
    restart();
  }
}

const choice = ({ tab }) => [tab, `tab_${tab}`, `tab-${tab}`];

function tableOf({ tab, path, columns, href }, { userId, session, refresh }) {
  if (tab === "audit") return auditTable({ testid: tab, filter: () => ({ about: userId }), session });
  return createTable({
    ...{ caption: `tab_${tab}`, testid: tab, signal: session.signal, href },
    columns: typeof columns === "function" ? columns({ userId, session, after: refresh }) : columns,
    fetchPage: (cursor) => call(path, { userId, ...(cursor ? { cursor } : {}) }, session),
  });
}

/** With a button at each hold of free income that is not released. */
function incomeColumnsOf({ userId, session, after }) {
  const holdOf = openHolds();
  const cell = (posting) => {
    const holdId = holdOf(posting);
    if (holdId === undefined || !session.has("holds")) return " ";
    return actionButton("releaseFreeYes", "release-free-row", () => releaseFree({ userId }, after, holdId));
  };
  return [...incomeColumns, { key: "colActions", hideLabel: true, cell }];
}

function sessionColumns() {
  return [
    { key: "sessionCreated", cell: ({ createTime }) => timeOf(createTime) },
    { key: "sessionExpires", cell: ({ expiresTime }) => timeOf(expiresTime) },
    { key: "sessionId", wide: true, cell: ({ sessionId }) => h("span", { class: "id", text: sessionId }) },
  ];
}

function headOf(user, session, refresh) {
  const { userId, nickName, account, income } = user;
  const inForce = (user.restrictions ?? []).filter(isInForce);
  return [
    incomplete(user.incomplete),
    h(
      "div",
      { class: "user-name" },
      face(userId, nickName),
      h("div", {}, h("h1", { text: nickName || String(userId), testid: "user-name" }), badges(user, inForce)),
    ),
    h("div", { class: "view-actions", testid: "user-actions" }, buttons(user, session, refresh)),
    h(
      "div",
      { class: "figures" },
      figure("balance", coins(account?.balance), "user-balance"),
      figure("debt", coins(account?.debt), "user-debt", account?.debt > 0),
      figure("incomeFree", coins(income?.income), "user-income"),
      figure("incomeHeld", coins(income?.heldBack), "user-held"),
    ),
    h(
      "details",
      { class: "card more-facts", open: true },
      h("summary", { say: "userDetails" }),
      facts([
        ["userId", h("span", { class: "id", text: userId, testid: "user-id" })],
        ["externalId", user.externalId],
        ["phone", phone(user, session)],
        ["registered", timeOf(user.registeredTime)],
        ["totalCharged", coins(account?.totalCharged)],
        ["sessionsOpen", number(user.sessions)],
        ...(income ? incomeFacts(income) : []),
      ]),
    ),
  ];
}

function badges(user, restrictions) {
  const { account, liveRoom } = user;
  return h(
    "p",
    { class: "badges", testid: "user-badges" },
    account?.status === FROZEN && badge("bad", "accountFrozen"),
    user.erasedTime && badge("bad", ["userErased", { time: () => time(user.erasedTime) }]),
    account?.status === INVALID && badge("bad", "accountInvalid"),
    account?.debt > 0 && badge("wait", "accountOwes"),
    restrictions.map(({ kind, roomId }) =>
      badge("bad", roomId ? [`restrictionRoom_${kind}`, { id: roomId }] : `restriction_${kind}`),
    ),
    liveRoom &&
      h("a", {
        ...{ class: "badge badge-good", href: hrefOf("room/:roomId", { roomId: liveRoom.roomId }) },
        say: ["userLive", { name: liveRoom.roomName || liveRoom.roomId }],
      }),
  );
}

function phone(user, session) {
  if (!user.phoneEnd) return h("span", { say: "none" });
  const end = h("span", { class: "number-text", text: `•••• ${user.phoneEnd}` });
  if (!session.has("phone")) return end;
  return h(
    "span",
    {},
    end,
    " ",
    actionButton("phoneShow", "phone-open", () => showPhone(user), "link-button"),
  );
}

function buttons(user, session, refresh) {
  const status = user.account?.status;
  const offers = [
    status !== FROZEN && ["freeze", "freezeYes", "freeze-open", () => freeze(user, refresh)],
    // Where the account's state is not known, both are offered; either changes nothing where it is so already.
    (status === FROZEN || status === undefined) && [
      "freeze",
      "unfreezeYes",
      "unfreeze-open",
      () => unfreeze(user, refresh),
    ],
    ["restrict", "muteYes", "mute-open", () => restrict(user, "mute", { after: refresh })],
    ["restrict", "banYes", "ban-open", () => restrict(user, "ban", { after: refresh })],
    ["sessions", "endSessionsYes", "end-sessions-open", () => endSessions(user, refresh)],
    !user.erasedTime && ["erase", "eraseYes", "erase-open", () => erase(user, refresh).catch(tellFailure)],
    ["adjust", "adjustYes", "adjust-open", () => adjust(user, refresh)],
    ["payout", "payoutYes", "payout-open", () => payout(user, refresh)],
    ["holds", "holdFreeYes", "hold-free-open", () => holdFree(user, refresh)],
    ["holds", "releaseFreeYes", "release-free-open", () => releaseFree(user, refresh)],
  ];
  const allowed = offers.filter((offer) => offer && session.has(offer[0]));
  return allowed.map(([, say, testid, go]) => actionButton(say, testid, go));
}

function actionButton(say, testid, click, kind = "button small") {
  return h("button", { class: kind, type: "button", say, testid, on: { click } });
}

function figure(key, value, testid, bad = false) {
  return h(
    "div",
    { class: "card figure" },
    h("p", { class: "figure-name", say: key }),
    h("p", { class: bad ? "figure-number bad" : "figure-number", testid, text: value }),
  );
}
