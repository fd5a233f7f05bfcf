/** Buying coins: choose, pay in the cashier's window, see them arrive. */
import { currentAccount, noteBalance, watchAccount } from "../account.js";
import { api, PAY_SOURCE } from "../api.js";
import { tellFailure, whileBusy } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { coins, number } from "../format.js";
import { coinArt } from "../gift-art.js";
import { say } from "../language.js";
import { watchPayOrder } from "../pay-order.js";

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
    ({ currentBalance, currentDebt, payProductItemVOList: products }) => {
      if (signal.aborted) return;
      noteBalance(currentBalance, currentDebt);
      grid.replaceChildren(...products.map((product) => productCard(product, place)));
      if (products.length === 0) grid.append(h("p", { class: "empty", say: "rechargeNone" }));
    },
    (error) => {
      grid.replaceChildren();
      tellFailure(error, (message) => complain(place, message));
    },
  );
}

function complain({ problem }, message) {
  problem.textContent = message;
  problem.hidden = !message;
}

function productCard(product, place) {
  return h(
    "button",
    { class: "product", type: "button", testid: "product", "data-product-id": product.id, on: { click: buy } },
    coinArt("product-coin"),
    h("span", { class: "product-coins", say: coins(product.coinNum) }),
    h("span", { class: "product-name", text: product.name }),
  );

  function buy(event) {
    const button = event.currentTarget;
    if (button.getAttribute("aria-busy") === "true") return;
    complain(place, "");
    // Opened within the click, before the order is known: later it would count as an unasked pop-up.
    const cashier = window.open("about:blank", "_blank");
    const pay = async () => {
      const { orderId, payUrl } = await api.pay(product.id, place.source);
      const address = cashierAddress(payUrl);
      if (cashier) {
        cashier.opener = null; // the cashier may be anybody's page
        cashier.location.replace(address);
      }
      if (!place.signal.aborted) awaitPayment({ place, product, orderId, address, blocked: !cashier });
    };
    whileBusy(button, pay, (message) => {
      cashier?.close();
      complain(place, message);
    });
  }
}

function cashierAddress(payUrl) {
  const address = new URL(payUrl, location.href);
  if (address.protocol !== "http:" && address.protocol !== "https:")
    throw new TypeError("a cashier's page is a web page");
  return address.href;
}

function awaitPayment({ place, product, orderId, address, blocked }) {
  const { step, signal } = place;
  const status = h("p", { class: "pay-status", role: "status", testid: "pay-status", "data-status": "waiting" });
  const link = h("a", {
    class: "button primary",
    href: address,
    target: "_blank",
    rel: "noopener",
    say: "rechargeOpen",
    testid: "cashier-link",
  });
  const again = h("button", {
    class: "button",
    type: "button",
    say: "rechargeAgain",
    testid: "pay-again",
    on: { click: () => chooseProduct(place) },
  });
  say(status, blocked ? "rechargeBlocked" : "rechargeWait");
  step.replaceChildren(
    h(
      "div",
      { class: "paying" },
      coinArt("product-coin spins"),
      h("p", { class: "product-coins", say: coins(product.coinNum) }),
      h("p", { class: "small-print", say: ["rechargeOrder", { id: orderId }] }),
      status,
      h("div", { class: "dialog-actions" }, again, link),
    ),
  );
  watchPayOrder({ orderId, signal, before: currentAccount().balance, tell });

  function tell(news, order) {
    const key = {
      paid: "rechargePaidSoon",
      credited: "rechargePaid",
      cancelled: "rechargeCancelled",
      invalid: "rechargeInvalid",
    }[news];
    say(status, key, { n: () => number(order?.coinNum ?? product.coinNum) });
    status.dataset.status = news;
    link.hidden = true;
    step.querySelector(".spins")?.classList.remove("spins");
  }
}
