/** An order to be paid: the amount, how it is paid (QR code or the provider's page), the time left, and the outcome. */
import { currentAccount } from "../account.js";
import { h } from "../dom.js";
import { coins, number, yuan } from "../format.js";
import { coinArt } from "../gift-art.js";
import { currentLanguage, say } from "../language.js";
import { watchPayOrder } from "../pay-order.js";
import { qrCode } from "../qr-code.js";

/** What payers call a channel, by the server, for `say`: it follows the language. */
export function channelName({ title }) {
  return () => title[currentLanguage()];
}

/**
 * @param {{host: HTMLElement, product: object, channel: object, order: object, address?: string, blocked: boolean,
 *   others: object[], signal: AbortSignal, leave: () => void, payBy: (channel: object, button: HTMLElement) => void}} about
 *   `leave` is called when the person goes back, `payBy` when another channel is chosen
 */
export function showPaying(about) {
  const { host, product, channel, order, others, signal, leave, payBy } = about;
  const ended = new AbortController();
  const name = channelName(channel);
  const status = h("p", { class: "pay-status", role: "status", testid: "pay-status", "data-status": "waiting" });
  const countdown = h("p", { class: "pay-countdown", role: "timer", testid: "pay-countdown" });
  const how = channel.kind === "qr" ? scanned(order.payUrl, name) : opened(about, name);
  const instead = others.map((other) =>
    h("button", {
      class: "button",
      type: "button",
      say: ["rechargeInstead", { name: channelName(other) }],
      testid: "pay-other",
      "data-channel": other.name,
      on: { click: (event) => payBy(other, event.currentTarget) },
    }),
  );
  const back = h("button", {
    class: "button quiet",
    type: "button",
    say: "cancel",
    testid: "pay-again",
    on: { click: go },
  });
  const view = h(
    "div",
    { class: "paying", tabindex: "-1", testid: "paying", "data-kind": channel.kind },
    h("p", { class: "pay-amount", testid: "pay-amount", text: yuan(order.amount) }),
    h("p", { class: "pay-coins", say: coins(product.coinNum) }),
    how,
    status,
    countdown,
    h("div", { class: "dialog-actions" }, how.link, instead, back),
    h("p", { class: "small-print", say: ["rechargeOrder", { id: order.orderId }] }),
  );
  if (channel.kind === "qr") say(status, "rechargeScan", { name });
  else say(status, about.blocked ? "rechargeBlocked" : "rechargeWait", { name });
  host.replaceChildren(view);
  view.focus({ preventScroll: true });

  const deadline = Date.now() + order.expiresInS * 1_000;
  const clock = setInterval(tick, 1_000);
  const lifetime = AbortSignal.any([signal, ended.signal]);
  lifetime.addEventListener("abort", () => clearInterval(clock));
  tick();
  watchPayOrder({
    orderId: order.orderId,
    forMs: order.expiresInS * 1_000,
    signal: lifetime,
    before: currentAccount().balance,
    onNews,
  });
  return { end: () => ended.abort() };

  function go() {
    ended.abort();
    leave();
  }

  function tick() {
    const seconds = Math.max(0, Math.ceil((deadline - Date.now()) / 1_000));
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    say(countdown, "rechargeWithin", { time });
    if (seconds === 0) expire();
  }

  /** Nobody can pay it any more; whether somebody did in time is known to the server. */
  function expire() {
    close("retry");
    view.dataset.over = "true";
    say(status, "rechargeExpired");
    status.dataset.status = "expired";
  }

  /** `again`: the text of the button back to the products from now on. */
  function close(again) {
    clearInterval(clock);
    countdown.hidden = true;
    how.hidden = true;
    if (how.link) how.link.hidden = true;
    for (const other of instead) other.hidden = true;
    say(back, again);
    back.className = "button primary";
  }

  function onNews(news, paid) {
    const over = status.dataset.status === "expired";
    close(news === "paid" || news === "credited" ? "rechargeAgain" : "retry");
    const key = {
      paid: "rechargePaidSoon",
      credited: "rechargePaid",
      cancelled: over ? "rechargeOver" : "rechargeCancelled",
      invalid: "rechargeInvalid",
    }[news];
    say(status, key, { n: () => number(paid?.coinNum ?? product.coinNum) });
    status.dataset.status = news;
  }
}

function scanned(payUrl, name) {
  const code = h("div", { class: "pay-code", role: "img", testid: "pay-code", label: ["rechargeCode", { name }] });
  code.append(qrCode(payUrl));
  return code;
}

/** The provider's page is in a window of its own; the link opens it (again), where the window was blocked or closed. */
function opened({ address }, name) {
  const waiting = h("div", { class: "pay-coin" }, coinArt("product-coin spins"));
  waiting.link = h("a", {
    class: "button primary",
    href: address,
    target: "_blank",
    rel: "noopener",
    say: ["rechargeOpen", { name }],
    testid: "cashier-link",
  });
  return waiting;
}
