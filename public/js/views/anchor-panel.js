/** What the anchor has instead of the gift tray: the income, the link to share, the end of the live. */
import { watchAccount } from "../account.js";
import { api } from "../api.js";
import { whileBusy } from "../busy.js";
import { confirmDialog } from "../dialog.js";
import { h } from "../dom.js";
import { pointsAsCoins, time } from "../format.js";
import { onLanguageChange, say } from "../language.js";
import { toast } from "../toast.js";

export function createAnchorPanel({ roomId, signal, onClosed }) {
  const address = `${location.origin}/#/room/${roomId}`;
  const income = h("output", { class: "income-number", testid: "income" });
  const upTo = h("p", { class: "small-print" });
  const link = h("input", { class: "input", id: "room-link", readonly: true, value: address, testid: "room-link" });
  const copy = h("button", { class: "button", type: "button", say: "roomCopy", on: { click: copyLink } });
  const close = h("button", {
    class: "button danger",
    type: "button",
    say: "roomClose",
    testid: "close-room",
    on: { click: end },
  });

  let account = {};
  const show = () => {
    income.textContent = pointsAsCoins(account.incomePoints);
    income.dataset.value = account.incomePoints === undefined ? "" : account.incomePoints / 100;
    if (account.settledUpTo) say(upTo, "incomeUpTo", { time: () => time(account.settledUpTo) });
  };
  watchAccount((now) => {
    account = now;
    show();
  }, signal);
  onLanguageChange(show, signal);

  function copyLink() {
    link.select();
    // Where the page has no clipboard (plain HTTP from another host), the selected text is there to be copied.
    navigator.clipboard?.writeText(address).then(
      () => toast.say("roomCopied"),
      () => {},
    );
  }

  async function end() {
    const sure = await confirmDialog({
      title: "roomClose",
      question: "roomCloseAsk",
      yes: "roomClose",
      testid: "close-room-dialog",
    });
    if (!sure) return;
    await whileBusy(close, async () => {
      await api.closeRoom(roomId);
      onClosed();
    });
  }

  const panel = h(
    "section",
    { class: "card anchor-panel", testid: "anchor-panel", label: "roomYouAnchor" },
    h("div", { class: "income" }, h("h2", { say: "incomeCoins" }), income, upTo),
    h(
      "div",
      { class: "share" },
      h("label", { for: "room-link", say: "roomShare" }),
      h("div", { class: "with-button" }, link, copy),
    ),
    close,
  );
  return {
    element: panel,
    disable() {
      close.disabled = true;
    },
  };
}
