/** An order's whole story on one screen: every step from the request to the frame, or from the order to the refund. */
import { ApiError } from "/js/api-error.js";
import { tellFailure, whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { holdShares, refund, release, releaseShares } from "../actions/money.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { badge, facts, incomplete, viewHead } from "../cells.js";
import { orderLink, roomLink, userLink } from "../columns.js";
import { coins, points } from "../format.js";
import { proposalTable } from "../proposal-table.js";
import { storyLine } from "../story-line.js";
import { createTable } from "../table.js";
import { orderBadge } from "../tones.js";

export const orderView = { path: "order/:orderId", title: "orderTitle", right: "read", show };

function show(root, { orderId }, session) {
  return load();

  async function load() {
    const [story, found] = await Promise.all([
      call("order/story", { orderId }, session),
      call("order/query", { orderId }, session).catch(known),
    ]);
    if (!session.signal.aborted) root.replaceChildren(...partsOf(story, found, session, load));
  }
}

function partsOf(story, found, session, load) {
  const again = () => {
    session.refreshCounts();
    if (!session.signal.aborted) load().catch(tellFailure);
  };
  const look = button("refresh", "story-refresh", (event) => whileBusy(event.currentTarget, load));
  return [
    viewHead(
      { text: story.title || story.orderId },
      { beside: [...offers(story, found, session, again), auditOf(story, session), look], testid: "story-title" },
    ),
    storyFacts(story),
    incomplete(story.incomplete),
    h("h2", { say: "storySteps" }),
    storyLine(story.steps),
    story.cut && h("p", { class: "lead", say: "storyCut" }),
    ...proposalsOf(story, session, again),
    ...(isTakenBack(story) ? affected(story.orderId, session, again) : []),
  ].filter(Boolean);
}

/** What staff asked about the order, also what was refused. */
function auditOf({ orderId }, session) {
  const href = hrefOf("audit", { about: orderId });
  return session.has("audit") && h("a", { class: "button small", href, say: "tab_audit", testid: "story-audit" });
}

function storyFacts(story) {
  return facts(
    [
      ["colKind", h("span", { say: `searchOne_${story.kind}` })],
      ["colState", badge(...orderBadge(story.state), "story-state")],
      ["colOrder", h("span", { class: "id", text: story.orderId })],
      story.userId && [story.kind === "gift" ? "colSender" : "colPayer", userLink(story.userId)],
      story.receiverId && ["colReceiver", userLink(story.receiverId)],
      story.roomId && ["colRoom", roomLink(story.roomId)],
    ],
    "story-facts",
  );
}

/** Every act of staff about the order, also those that nobody had to approve. */
function proposalsOf({ proposals, orderId }, session, again) {
  if (!proposals?.length) return [];
  const of = (cursor) => call("proposals/list", { subject: orderId, ...(cursor ? { cursor } : {}) }, session);
  const table = proposalTable({ session, after: again, fetchPage: of });
  table.restart();
  return [h("h2", { say: "proposalsTitle" }), table.element];
}

/** The story is there without the order's own state; then the buttons are as for a state that is not known. */
function known(error) {
  if (!(error instanceof ApiError) || error.loggedOut) throw error;
  return undefined;
}

/** Whether the wallet has taken the coins back; until then nobody knows which were spent. */
function isTakenBack({ kind, steps }) {
  const isIt = ({ what, service, state }) => what === "refunded" && service === "wallet" && state === "done";
  return kind === "payment" && steps.some(isIt);
}

const PAID = 2;
const HELD_CREDIT = new Set(["creditHeld", "creditChanged"]);

/** What may be done by the order's state; where it is not known, the server decides. */
function offers(story, found, session, again) {
  if (story.kind !== "payment") return [];
  const order = { orderId: story.orderId, coinNum: found?.coinNum };
  const mayRefund = found === undefined || found.status === PAID;
  const mayRelease = found?.parked?.some((mark) => HELD_CREDIT.has(mark)) ?? false;
  return [
    session.has("refund") && mayRefund && button("refundYes", "refund-open", () => refund(order, again)),
    session.has("release") && mayRelease && button("releaseYes", "release-open", () => release(order, again)),
  ].filter(Boolean);
}

function button(say, testid, click) {
  return h("button", { class: "button small", type: "button", say, testid, on: { click } });
}

/** The gifts that the refunded coins went to, by anchor, with what may be held of their shares. */
function affected(orderId, session, again) {
  const summary = h("div", { class: "view-part" });
  const table = createTable({
    ...{ caption: "affectedTitle", testid: "affected", signal: session.signal, empty: "affectedNone" },
    columns: [
      { key: "colAnchor", cell: ({ anchorId }) => userLink(anchorId) },
      { key: "affectedGifts", number: true, cell: ({ gifts }) => String(gifts) },
      { key: "affectedCoins", number: true, cell: ({ coins: of }) => coins(of) },
      { key: "affectedShare", number: true, cell: ({ sharePoints }) => points(sharePoints) },
      { key: "colState", cell: ({ state }) => badge(HOLD_TONES[state] ?? "plain", `share_${state}`) },
      { key: "colActions", hideLabel: true, cell: (anchor) => shareButton(orderId, anchor, session, again) },
    ],
    fetchPage: async () => {
      const answer = await call("income/affected", { orderId }, session);
      const open = await openShares(answer, session);
      summary.replaceChildren(affectedFacts(answer), ...holdAll(orderId, open, session, again));
      return { list: answer.anchors };
    },
  });
  table.restart();
  return [h("h2", { say: "affectedTitle" }), summary, table.element];
}

const HOLD_TONES = { open: "wait", held: "bad", released: "plain" };

function affectedFacts({ taken, shortfall, owing, uncovered, paidOff }) {
  return facts([
    ["affectedTaken", coins(taken)],
    ["affectedShortfall", coins(shortfall)],
    ["affectedOwing", coins(owing)],
    uncovered > 0 && ["affectedUncovered", coins(uncovered)],
    paidOff?.length > 0 && [
      "affectedPaidOff",
      h(
        "span",
        {},
        paidOff.slice(0, 5).map(({ orderId }) => orderLink(orderId)),
      ),
    ],
  ]);
}

/** The open shares that one call holds: of very many anchors the list has the first thousand, whatever their state. */
async function openShares({ orderId, anchors, anchorCount }, session) {
  const open = anchors.filter(({ state }) => state === "open");
  // A single one has its own button.
  if (anchorCount <= anchors.length) return open.length > 1 ? open : [];
  return (await call("income/affected", { orderId, state: "open" }, session)).anchors;
}

function holdAll(orderId, open, session, again) {
  if (!session.has("holds") || open.length === 0) return [];
  const sharePoints = open.reduce((sum, anchor) => sum + anchor.sharePoints, 0);
  return [
    h(
      "p",
      { class: "view-actions" },
      button("holdAllYes", "hold-all-open", () => holdShares({ orderId, sharePoints }, again)),
    ),
  ];
}

function shareButton(orderId, { anchorId, state, sharePoints }, session, again) {
  if (!session.has("holds") || state === "released") return " ";
  const share = { orderId, anchorId, sharePoints };
  return state === "open"
    ? button("holdYes", "hold-open", () => holdShares(share, again))
    : button("releaseHoldYes", "release-hold-open", () => releaseShares(share, again));
}
