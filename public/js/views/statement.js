/** The account's statement, and the income beside it. */
import { currentAccount, refreshBalance, refreshIncome, watchAccount } from "../account.js";
import { api } from "../api.js";
import { tellFailure } from "../busy.js";
import { h } from "../dom.js";
import { number, signed, time } from "../format.js";
import { onLanguageChange } from "../language.js";
import { createCursorList } from "./cursor-list.js";

const REJECTED = 0;

export function statementView(host, signal) {
  const balance = h("output", { class: "figure-number", testid: "statement-balance" });
  const income = h("output", { class: "figure-number", testid: "statement-income" });
  const trades = createCursorList({ fetchPage: api.trades, row: tradeRow, testid: "trades", signal });
  host.append(
    h(
      "div",
      { class: "page narrow" },
      h("div", { class: "page-head" }, h("h1", { say: "statementTitle" })),
      h("div", { class: "figures" }, figure("balance", balance), figure("income", income)),
      trades.elements,
    ),
  );
  const show = (account) => {
    balance.textContent = number(account.balance);
    income.textContent = number(account.income);
  };
  watchAccount(show, signal);
  onLanguageChange(() => show(currentAccount()), signal);
  refreshBalance().catch(() => {});
  refreshIncome().catch(tellFailure);
  return trades.restart();
}

function figure(key, output) {
  return h("div", { class: "card figure" }, h("h2", { say: key }), output);
}

function tradeRow(trade) {
  const rejected = Number(trade.status) === REJECTED;
  return h(
    "li",
    { class: rejected ? "row rejected" : "row", testid: "trade" },
    h("span", { class: `row-mark trade-${Number(trade.type)}`, "aria-hidden": "true" }),
    h(
      "div",
      { class: "row-main" },
      h(
        "p",
        { class: "row-title" },
        h("span", { say: `trade_${Number(trade.type)}` }),
        rejected && h("span", { class: "row-badge", say: "tradeRejected" }),
      ),
      h("p", { class: "row-detail", text: time(trade.createTime) }),
    ),
    h(
      "div",
      { class: "row-end" },
      h("p", { class: Number(trade.num) > 0 ? "row-number plus" : "row-number", text: signed(trade.num) }),
      h("p", { class: "row-detail" }, h("span", { say: "colBalance" }), ` ${number(trade.balanceAfter)}`),
    ),
  );
}
