/** A live room: stage with effects, feed and chat, and the gift tray or the anchor's panel. */
import { createFollower, refreshBalance, refreshIncome } from "../account.js";
import { api } from "../api.js";
import { ApiError } from "../api-error.js";
import { h } from "../dom.js";
import { time } from "../format.js";
import { createGiftSender } from "../gift-sender.js";
import { translate } from "../language.js";
import { notePayment } from "../pay-order.js";
import { createNames } from "../people.js";
import { connectRoom } from "../room-connection.js";
import { createStreaks } from "../streaks.js";
import { toast } from "../toast.js";
import { createAnchorPanel } from "./anchor-panel.js";
import { createBattlePanel } from "./battle.js";
import { createChatBox } from "./chat-box.js";
import { openChatMenu } from "./chat-menu.js";
import { createEffects } from "./effects.js";
import { createFeed } from "./feed.js";
import { createGiftTray, loadCatalogue } from "./gift-tray.js";
import { createRanksButton } from "./ranks.js";
import { createStage } from "./stage.js";

/** Why a gift failed, in the language of the page; of any other code the server's own words are shown. */
const REASONS = new Map([
  [10010, "balanceShort"],
  [10011, "idempotencyConflict"],
  [10012, "accountUnusable"],
]);
const MUTED = 10013;

export async function roomView(host, signal, roomId) {
  host.replaceChildren(h("p", { class: "empty", say: "loading" }));
  try {
    const [config, catalogue] = await Promise.all([api.room(roomId), loadCatalogue()]);
    if (signal.aborted) return;
    host.replaceChildren();
    if (Number(config.roomId) === -1) host.append(message(h("h1", { say: "roomGone" }), backLink()));
    else showRoom(host, signal, config, catalogue);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (signal.aborted) return;
    const again = () => roomView(host, signal, roomId);
    const retry = h("button", { class: "button primary", type: "button", say: "retry", on: { click: again } });
    host.replaceChildren(message(h("h1", { text: error.message }), retry));
  }
}

function showRoom(host, signal, config, catalogue) {
  const roomId = Number(config.roomId);
  const anchorId = String(config.anchorId);
  const me = String(config.userId);
  const names = createNames([[anchorId, config.anchorNickName]], config.nickName);
  const effects = createEffects();
  const reach = createStreaks();
  const onMenu = ({ userId, msgId }) => openChatMenu({ roomId, userId, msgId, name: names.of(userId) });
  const feed = createFeed({ me, names, anchorId, giftName: catalogue.nameOf, onMenu });
  const followBalance = createFollower(refreshBalance, signal, { lastMs: 1_500 });
  const followIncome = createFollower(refreshIncome, signal);

  const sender = createGiftSender({ api, roomId, receiverId: anchorId, signal, onOutcome: showOutcome });
  const side = config.isAnchor
    ? createAnchorPanel({ roomId, signal, onClosed: closed })
    : createGiftTray({ gifts: catalogue.gifts, sender });
  const setReceivers = (choices) => side.setReceivers?.(choices);
  const battle = createBattlePanel({ config, names, signal, setReceivers });
  const connection = connectRoom(roomId, signal, {
    onChat({ senderId, content, nickName, msgId }) {
      names.learn(senderId, nickName);
      feed.chat(senderId, String(content ?? ""), msgId);
    },
    onChatRemoved: feed.remove,
    onGifts: showGifts,
    onGiftFailed: ({ orderId, msg, code }) => sender.settle(orderId, { status: "failed", msg, code }),
    onPayment() {
      toast.success(translate("rechargeArrived"));
      followBalance();
      notePayment();
    },
    onBattle: battle.onBattle,
    onScores: battle.onScores,
    onClosed: closed,
    onRefused({ code, until }) {
      if (code !== MUTED) {
        toast.say("chatRefused");
        return;
      }
      feed.refused();
      toast.say(...mutedUntil(until));
    },
    onGap: () => feed.notice("imGap"),
    onOnline() {
      battle.onOnline();
      refreshRole().catch(() => {}); // The menu is missing until the next connection; the server decides anyway.
      // What happened while away may have moved either.
      followBalance();
      if (config.isAnchor) followIncome();
    },
  });
  const chat = createChatBox({ sendChat: connection.sendChat, onSent: feed.ownChat });
  feed.notice("feedWelcome");
  const banner = h("div", { class: "card room-banner", role: "alert", testid: "room-closed", hidden: true });
  const room = h(
    "div",
    { class: "room", testid: "room" },
    createStage(config, {
      effects: effects.layer,
      tools: [createRanksButton({ roomId, anchorId, signal }), ...battle.tools],
      battle: battle.elements,
    }),
    h("section", { class: "card feed", label: "feed" }, connection.status, feed.list, chat.form),
    side.element,
  );
  host.append(banner, room);

  async function refreshRole() {
    const { role, muted, mutedUntil: until } = await api.roomRole(roomId);
    if (signal.aborted) return;
    feed.moderate(role !== "viewer");
    if (muted) feed.notice(...mutedUntil(until));
  }

  function showGifts(gifts) {
    catalogue.meet(gifts);
    for (const gift of gifts) {
      const reached = reach(gift);
      feed.gift(gift, reached);
      effects.play({ price: catalogue.priceOf(gift.giftId), ...gift }, names.of(gift.senderId), reached);
      if (String(gift.senderId) === me) {
        refreshBalance().catch(() => {});
        for (const tag of gift.orderTags) sender.settle(tag, { status: "succeeded" });
      }
      if (config.isAnchor) followIncome();
    }
  }

  function showOutcome(order, outcome) {
    if (outcome.status === "succeeded") side.report("trayDone", order);
    else if (outcome.status === "failed") side.report("trayFailed", order, whyFailed(outcome));
    else side.report("trayUnsure", order);
    refreshBalance().catch(() => {});
  }

  function closed() {
    if (!banner.hidden) return;
    connection.close();
    side.disable();
    battle.disable();
    chat.disable();
    room.classList.add("ended");
    banner.hidden = false;
    banner.append(h("h2", { say: "roomClosed" }), h("p", { say: "roomClosedLead" }), backLink());
  }
}

/** Of a mute: the text and its variables, for `say`. */
function mutedUntil(until) {
  return until ? ["mutedUntil", { time: () => time(until) }] : ["mutedForEver"];
}

function whyFailed({ code, msg }) {
  const reason = REASONS.get(code);
  return (!reason && msg) || translate(`reason_${reason ?? "other"}`);
}

function backLink() {
  return h("a", { class: "button primary", href: "#/rooms", say: "roomBack" });
}

function message(...content) {
  return h("div", { class: "room-message", testid: "room-message" }, content);
}
