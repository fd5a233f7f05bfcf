/** The bar at the top: navigation, balance, and the user. */
import { currentAccount, watchAccount } from "./account.js";
import { api } from "./api.js";
import { whileBusy } from "./busy.js";
import { drawing, h } from "./dom.js";
import { number } from "./format.js";
import { coinArt } from "./gift-art.js";
import { onLanguageChange, toggleLanguage } from "./language.js";
import { avatar } from "./people.js";
import { closeSession } from "./session.js";
import { openRecharge } from "./views/recharge.js";

const LINKS = [
  ["#/rooms", "navRooms", "nav-rooms"],
  ["#/statement", "navStatement", "nav-statement"],
  ["#/gifts", "navGifts", "nav-gifts"],
];

export function languageButton() {
  return h("button", {
    class: "button quiet small",
    type: "button",
    say: "language",
    label: "languageLabel",
    testid: "language",
    on: { click: toggleLanguage },
  });
}

export function showHeader(header, signal) {
  const links = LINKS.map(([href, key, testid]) => h("a", { class: "nav-link", href, say: key, testid }));
  const balance = h("output", { class: "balance-number", testid: "balance", label: "balance" });
  const nickname = h("span", { class: "nickname", testid: "nickname" });
  const face = h("span", { class: "header-face" });
  header.append(
    h(
      "a",
      { class: "brand", href: "#/rooms" },
      h("img", { src: "/favicon.svg", alt: "", width: 28, height: 28 }),
      "Ovation",
    ),
    h("nav", { class: "nav", label: "navMain" }, links),
    h(
      "div",
      { class: "purse" },
      coinArt(),
      balance,
      h("button", {
        class: "button primary small",
        type: "button",
        say: "recharge",
        testid: "recharge",
        on: { click: recharge },
      }),
    ),
    h("div", { class: "header-person" }, face, nickname, languageButton(), logoutButton()),
  );

  let had;
  const showAccount = (account) => {
    balance.textContent = number(account.balance);
    balance.dataset.value = account.balance ?? "";
    if (had !== undefined && account.balance !== had) bump(balance, account.balance > had ? "rises" : "falls");
    had = account.balance;
    if (account.user && nickname.textContent !== account.user.nickName) {
      nickname.textContent = account.user.nickName;
      face.replaceChildren(avatar(account.user.userId, account.user.nickName));
    }
  };
  watchAccount(showAccount, signal);
  onLanguageChange(() => showAccount(currentAccount()), signal);

  const showPlace = () => {
    const place = location.hash || "#/rooms";
    for (const link of links) {
      if (link.getAttribute("href") === place) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };
  window.addEventListener("hashchange", showPlace, { signal });
  showPlace();
}

function bump(element, direction) {
  element.classList.remove("rises", "falls");
  void element.offsetWidth; // lets the animation start over
  element.classList.add(direction);
}

function recharge() {
  openRecharge();
}

function logoutButton() {
  const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round" };
  return h(
    "button",
    { class: "button quiet small", type: "button", label: "logout", testid: "logout", on: { click: logOut } },
    drawing("0 0 24 24", [["path", { d: "M10 4H5v16h5M15 8l4 4-4 4M9 12h10", ...stroke }]], "logout-icon"),
    h("span", { class: "logout-word", say: "logout" }),
  );
}

async function logOut(event) {
  await whileBusy(event.currentTarget, () => api.logout());
  // Whatever the server answered, this window drops the session.
  closeSession();
  location.hash = "#/rooms";
}
