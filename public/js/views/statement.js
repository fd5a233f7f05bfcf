/** The account's statement with what is owed, and the income beside it. */
import { currentAccount, refreshBalance, refreshIncome, watchAccount } from "../account.js";
import { api } from "../api.js";
import { tellFailure } from "../busy.js";
import { h } from "../dom.js";
import { number, pointsAsCoins, signed, time } from "../format.js";
import { onLanguageChange, say } from "../language.js";
import { createCursorList } from "./cursor-list.js";

const REJECTED = 0;
const REFUND = 2;

export function statementView(host, signal) {
  const balance = h("output", { class: "figure-number", testid: "statement-balance" });
  const income = h("output", { class: "figure-number", testid: "statement-income" });
  const debt = h("p", { class: "figure-note", testid: "statement-debt", hidden: true });
  const held = h("p", { class: "figure-note", testid: "statement-held", hidden: true });
  const trades = createCursorList({ fetchPage: api.trades, row: tradeRow, testid: "trades", signal });
  host.append(
    h(
      "div",
      { class: "page narrow" },
      h("div", { class: "page-head" }, h("h1", { say: "statementTitle" })),
      h("div", { class: "figures" }, figure("balance", balance, debt), figure("income", income, held)),
      trades.elements,
    ),
  );
  const show = (account) => {
    balance.textContent = number(account.balance);
    income.textContent = pointsAsCoins(account.incomePoints);
    note(debt, "statementDebt", account.debt, number);
    note(held, "statementHeld", account.heldBackPoints, pointsAsCoins);
  };
  watchAccount(show, signal);
  onLanguageChange(() => show(currentAccount()), signal);
  refreshBalance().catch(() => {});
  refreshIncome().catch(tellFailure);
  return trades.restart();
}

function figure(key, output, beside) {
  return h("div", { class: "card figure" }, h("h2", { say: key }), output, beside);
}

/** A line that is there only where it has a text. */
function note(line, key, amount, format) {
  line.hidden = !amount;
  say(line, key, { n: () => format(amount) });
}

/** Shows the debt that a refund left or a recharge paid off, and the refunded orders. */
function debtLines({ debt }) {
  if (!debt) return [];
  const key = debt.change > 0 ? "tradeOwed" : "tradePaidOff";
  const amounts = { n: () => number(Math.abs(debt.change)), left: () => number(debt.after) };
  return [
    h("p", { class: "row-detail", say: [key, amounts], testid: "trade-debt" }),
    ...debt.orders.map(({ orderId, coins }) =>
      h("p", { class: "row-detail", say: ["tradeDebtOrder", { id: orderId, n: () => number(coins) }] }),
    ),
  ];
}

function titleOf({ type, debt }) {
  return Number(type) === REFUND && debt?.change < 0 ? "tradeDebtPayment" : `trade_${Number(type)}`;
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
        h("span", { say: titleOf(trade) }),
        rejected && h("span", { class: "row-badge", say: trade.debt ? "tradeNothingLeft" : "tradeRejected" }),
      ),
      h("p", { class: "row-detail", text: time(trade.createTime) }),
      debtLines(trade),
    ),
    h(
      "div",
      { class: "row-end" },
      h("p", { class: Number(trade.num) > 0 ? "row-number plus" : "row-number", text: signed(trade.num) }),
      h("p", { class: "row-detail" }, h("span", { say: "colBalance" }), ` ${number(trade.balanceAfter)}`),
    ),
  );
}
