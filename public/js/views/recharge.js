/** Buying coins: choose what and by which channel, pay, see them arrive. */
import { noteBalance, watchAccount } from "../account.js";
import { api, PAY_SOURCE } from "../api.js";
import { tellFailure, whileBusy } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { coins, number } from "../format.js";
import { coinArt } from "../gift-art.js";
import { say } from "../language.js";
import { channelName, showPaying } from "./paying.js";
import { tabs } from "./tabs.js";

let open = false;

export function openRecharge() {
  if (open) return;
  open = true;
  const source = location.hash.startsWith("#/room/") ? PAY_SOURCE.ROOM : PAY_SOURCE.USER_CENTRE;
  openDialog({
    title: "rechargeTitle",
    testid: "recharge-dialog",
    wide: true,
    body: ({ signal }) => {
      signal.addEventListener("abort", () => {
        open = false;
      });
      const has = h("p", { class: "lead", testid: "recharge-balance" });
      const problem = h("p", { class: "form-problem", role: "alert", testid: "recharge-error", hidden: true });
      const step = h("div", { class: "recharge-step" });
      watchAccount(({ balance }) => say(has, "rechargeHas", { n: () => number(balance) }), signal);
      chooseProduct({ step, problem, source, signal });
      return [has, problem, step];
    },
  });
}

function chooseProduct(place) {
  const { step, signal } = place;
  const grid = h("div", { class: "product-grid", testid: "products" }, h("p", { class: "empty", say: "loading" }));
  step.replaceChildren(grid);
  api.products().then(
    ({ currentBalance, currentDebt, payProductItemVOList: products, payChannels: channels = [] }) => {
      if (signal.aborted || !grid.isConnected) return;
      noteBalance(currentBalance, currentDebt);
      place.channels = channels;
      place.chosen = channels.find(({ name }) => name === place.chosen?.name) ?? channels[0];
      grid.replaceChildren(...products.map((product) => productCard(product, place)));
      if (products.length === 0) grid.append(h("p", { class: "empty", say: "rechargeNone" }));
      else if (channels.length === 0) grid.replaceChildren(h("p", { class: "empty", say: "rechargeNoChannel" }));
      else if (channels.length > 1) grid.before(channelChoice(place));
    },
    (error) => {
      grid.replaceChildren();
      tellFailure(error, (message) => complain(place, message));
    },
  );
}

function channelChoice(place) {
  const choices = place.channels.map((channel) => [
    channel,
    ["payChannel", { name: channelName(channel) }],
    `channel-${channel.name}`,
  ]);
  const choose = (channel) => {
    place.chosen = channel;
  };
  return h(
    "div",
    { class: "pay-channels" },
    h("span", { class: "field-label", say: "rechargeBy" }),
    tabs("rechargeBy", choices, place.chosen, choose),
  );
}

function complain({ problem }, message) {
  problem.textContent = message;
  problem.hidden = !message;
}

function productCard(product, place) {
  return h(
    "button",
    {
      class: "product",
      type: "button",
      testid: "product",
      "data-product-id": product.id,
      on: { click: (event) => buy(place, product, place.chosen, event.currentTarget) },
    },
    coinArt("product-coin"),
    h("span", { class: "product-coins", say: coins(product.coinNum) }),
    h("span", { class: "product-name", text: product.name }),
  );
}

/** Makes an order and shows how to pay it; `button` is the one that asked for it. */
function buy(place, product, channel, button) {
  if (button.getAttribute("aria-busy") === "true") return;
  complain(place, "");
  // Opened within the click, before the order is known: later it would count as an unasked pop-up.
  const page = channel.kind === "qr" ? undefined : window.open("about:blank", "_blank");
  const pay = async () => {
    const order = await api.pay(product.id, place.source, channel.payChannel);
    const address = channel.kind === "qr" ? undefined : pageAddress(order.payUrl);
    if (page) {
      page.opener = null; // the page is somebody else's
      page.location.replace(address);
    }
    if (place.signal.aborted) return;
    place.paying?.end();
    place.paying = showPaying({
      ...{ host: place.step, signal: place.signal, product, channel, order, address, blocked: !page },
      others: place.channels.filter((other) => other.name !== channel.name),
      leave: () => chooseProduct(place),
      payBy: (other, asked) => buy(place, product, other, asked),
    });
  };
  whileBusy(button, pay, (message) => {
    page?.close();
    complain(place, message);
  });
}

function pageAddress(payUrl) {
  const address = new URL(payUrl, location.href);
  if (address.protocol !== "http:" && address.protocol !== "https:")
    throw new TypeError("payUrl is no http or https address");
  return address.href;
}
