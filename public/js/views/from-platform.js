/** For users of a platform without a valid token: they log in there. */
import { h } from "../dom.js";
import { languageButton } from "../header.js";
import { brand } from "./login.js";

export function fromPlatformView(host) {
  const card = h(
    "div",
    { class: "card login-card", testid: "platform-login" },
    h("h1", { say: "platformTitle" }),
    h("p", { class: "lead", say: "platformLead" }),
  );
  host.append(h("div", { class: "login" }, brand(), card, languageButton()));
}
