/** Choosing a gift and a count, and sending it. */
import { api } from "../api.js";
import { tellFailure, whileBusy } from "../busy.js";
import { h } from "../dom.js";
import { coins, number } from "../format.js";
import { giftArt } from "../gift-art.js";
import { say, sayPlain, translate } from "../language.js";
import { toast } from "../toast.js";
import { createCountPicker } from "./count-picker.js";
import { openRecharge } from "./recharge.js";
import { tabs } from "./tabs.js";

const BALANCE_SHORT = 10010;
const NOT_ON_SHELF = 10005;
const RELOAD_AFTER_MS = 60_000;
const RELOAD_SPREAD_MS = 3_000;
/** Where the chosen receiver goes away, nothing is sent for so long: a press on its way was meant for that person. */
const HOLD_MS = 1_500;

/** The text for each state that `submit` ends in, and those for orders that may have been accepted. */
const newsOf = { accepted: "trayAccepted", unsure: "trayAsking", unanswered: "trayUnanswered" };
const stillOpen = new Set(["trayAsking", "trayUnanswered", "trayUnsure"]);

/** @param {{gifts: object[], sender: object}} options `sender` of gift-sender.js */
export function createGiftTray({ gifts, sender }) {
  let chosen = gifts[0];
  let receiver; // of several, the one that was chosen; `undefined`: the anchor
  let anchorFirst; // the receiver where nobody was chosen
  let held; // the timer of a hold
  let open; // the last order that may have been accepted, while nobody knows
  const count = createCountPicker(showTotal);
  const total = h("output", { class: "tray-total", testid: "gift-total" });
  const status = h("p", { class: "tray-status", role: "status", testid: "gift-status" });
  const receiverNews = h("p", { class: "tray-news", role: "status", testid: "gift-receiver-news" });
  const send = h("button", { class: "button primary", type: "submit", say: "traySend", testid: "gift-send" });
  const choose = (gift) => {
    chosen = gift;
    showTotal();
  };
  const shelf = h(
    "div",
    { class: "shelf", role: "radiogroup", label: "tray", testid: "gift-shelf" },
    gifts.map((gift) => giftCard(gift, gift === chosen, choose)),
  );
  const receivers = h("div", { class: "tray-receivers", testid: "gift-receivers", hidden: true });
  const tray = h(
    "form",
    { class: "card tray", novalidate: true, testid: "gift-tray", on: { submit } },
    h("h2", { class: "tray-title", say: "tray" }),
    gifts.length > 0 ? shelf : h("p", { class: "empty", say: "trayNone" }),
    receivers,
    h("div", { class: "tray-row" }, count.elements, h("div", { class: "tray-send" }, total, send)),
    receiverNews,
    status,
  );
  showTotal();

  function showTotal() {
    const wanted = count.value();
    if (wanted && chosen) say(total, "trayTotal", { n: () => number(wanted * chosen.price) });
    else say(total, "trayBadCount");
  }

  function submit(event) {
    event.preventDefault();
    if (held) return;
    sayPlain(receiverNews, "");
    const wanted = count.value();
    if (!wanted || !chosen) count.focus();
    else whileBusy(send, () => deliver(orderOf(chosen, wanted)));
  }

  function hold() {
    clearTimeout(held);
    held = setTimeout(() => {
      held = undefined;
      showHeld(false);
    }, HOLD_MS);
    showHeld(true);
    say(receiverNews, "trayToAnchor");
  }

  /** Not `disabled`, which would lose the focus of keyboard users. */
  function showHeld(is) {
    send.toggleAttribute("data-held", is);
    send.setAttribute("aria-disabled", String(is));
  }

  /** The same gift and count again is the open order, with its request id, so that it is charged once. */
  function orderOf({ giftId }, wanted) {
    const order = sender.order({ giftId }, wanted, receiver);
    const same = open?.giftId === giftId && open.count === wanted && open.receiverId === order.receiverId;
    return same ? open : order;
  }

  async function deliver(order) {
    report("traySending", order);
    try {
      const state = await sender.submit(order);
      if (state !== "settled") report(newsOf[state], order);
      if (state === "unanswered") toast.failure(status.textContent, retryOf(order));
    } catch (error) {
      sayPlain(status, "");
      tellFailure(error, (message) => toast.failure(message, wayOut(error, order)));
    }
  }

  function wayOut(error, order) {
    if (error.code === BALANCE_SHORT) return { say: "recharge", run: openRecharge };
    // Taken off sale since the page was loaded: the shown catalogue is old.
    if (error.code === NOT_ON_SHELF) return { say: "refresh", run: () => location.reload() };
    return error.retryable ? retryOf(order) : undefined;
  }

  /** The same order with its request id: it may have been accepted. */
  function retryOf(order) {
    return { say: "retry", run: () => whileBusy(send, () => deliver(order)) };
  }

  /** Shows the status of an order; a failure is shown in a toast as well. */
  function report(key, order, msg) {
    const gift = gifts.find(({ giftId }) => giftId === order.giftId);
    const vars = { gift: gift?.giftName ?? order.giftId, count: order.count, msg };
    if (stillOpen.has(key)) open = order;
    else if (open?.requestId === order.requestId && key !== "traySending") open = undefined;
    status.dataset.news = key;
    say(status, key, vars);
    if (key === "trayFailed") toast.failure(translate(key, vars));
  }

  return {
    element: tray,
    report,
    /**
     * Who may be given to: without a list the anchor alone. Where the chosen one is not there any more, it is said that
     * gifts go to the anchor, and for a moment nothing is sent.
     * @param {{userId: string, name: () => string}[]} [choices] the first, the anchor, is chosen
     */
    setReceivers(choices = []) {
      if (receiver !== anchorFirst && !choices.some(({ userId }) => userId === receiver)) hold();
      anchorFirst = choices[0]?.userId;
      receiver = anchorFirst;
      receivers.hidden = choices.length < 2;
      const choice = ({ userId, name }) => [userId, ["trayReceiver", { name }], `gift-to-${userId}`];
      const choose = (userId) => {
        receiver = userId;
      };
      if (choices.length < 2) receivers.replaceChildren();
      else receivers.replaceChildren(tabs("trayTo", choices.map(choice), receiver, choose));
    },
    disable() {
      for (const control of tray.elements) control.disabled = true;
    },
  };
}

function giftCard(gift, checked, choose) {
  return h(
    "label",
    { class: "gift-card", testid: "gift", "data-gift-id": gift.giftId, "data-price": gift.price },
    h("input", {
      class: "visually-hidden",
      type: "radio",
      name: "gift",
      checked,
      on: { change: () => choose(gift) },
    }),
    h(
      "span",
      { class: "gift-card-face" },
      giftArt(gift.giftId),
      h("span", { class: "gift-card-name", text: gift.giftName }),
      h("span", { class: "gift-card-price", say: coins(gift.price) }),
    ),
  );
}

/**
 * The gifts on sale, and the name and price of a gift. A gift that is not on sale any more has its number for a name, and
 * price 0. `meet` takes gifts that were sent: where one is not known, the catalogue is loaded again, at most once a minute
 * and not by all viewers at once.
 */
export async function loadCatalogue() {
  const gifts = await api.gifts();
  const known = new Map();
  let loadedAt = 0;
  const add = (some) => {
    for (const gift of some) known.set(String(gift.giftId), gift);
  };
  add(gifts);
  return {
    gifts,
    nameOf: (giftId) => known.get(String(giftId))?.giftName ?? translate("gift_unknown", { id: giftId }),
    priceOf: (giftId) => known.get(String(giftId))?.price ?? 0,
    meet(sent) {
      if (sent.every(({ giftId }) => known.has(String(giftId))) || Date.now() - loadedAt < RELOAD_AFTER_MS) return;
      loadedAt = Date.now();
      // Without an answer the next unknown gift asks again.
      setTimeout(() => api.gifts().then(add, () => {}), Math.random() * RELOAD_SPREAD_MS);
    },
  };
}
