/** Messages that a channel could not handle: read, replayed, given up. */
import { whileBusy } from "/js/busy.js";
import { openDialog } from "/js/dialog.js";
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { badge, facts, idOf, timeOf, viewHead } from "../cells.js";
import { checkField, reasonField } from "../fields.js";
import { number } from "../format.js";
import { button, buttons, part, refusal } from "../pieces.js";
import { createTable } from "../table.js";

export const deadLettersView = {
  ...{ path: "dead-letters", title: "deadTitle", right: "read", nav: "work", show },
  count: ({ deadLetters }) => deadLetters,
};

function show(root, _params, session) {
  const table = createTable({
    ...{ caption: "deadTitle", testid: "dead-letters", empty: "deadNone", signal: session.signal },
    fetchPage: (cursor) => call("deadLetters/list", { ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thTime", cell: ({ time }) => timeOf(time) },
      { key: "thChannelName", cell: channelCell },
      { key: "thReason", wide: true, cell: ({ reason }) => h("span", { text: reason }) },
      { key: "thOrder", cell: orderOf },
      {
        key: "deadSize",
        number: true,
        cell: ({ size }) => h("span", { say: ["deadBytes", { n: () => number(size) }] }),
      },
      { key: "deadBody", hideLabel: true, cell: (letter) => letterButtons(letter) },
    ],
  });
  const handled = createTable({
    ...{ caption: "deadHandled", testid: "handled-letters", empty: "deadHandledNone", signal: session.signal },
    fetchPage: (cursor) => call("deadLetters/handled", { ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thTime", cell: ({ beginTime }) => timeOf(beginTime) },
      { key: "deadDecision", cell: decisionCell },
      { key: "thReason", wide: true, cell: reasonsCell },
      { key: "thChannelName", cell: channelCell },
      { key: "thOrder", cell: orderOf },
    ],
  });
  root.append(viewHead("deadTitle", { lead: "deadLead" }), table.element, part("deadHandled", handled.element));
  return Promise.all([table.restart(), handled.restart()]);

  function done() {
    table.restart();
    handled.restart();
    session.refreshCounts();
  }

  function letterButtons(letter) {
    const open = button("showIt", "dead-show", () =>
      whileBusy(open, async () => openLetter(await call("deadLetters/get", { id: letter.id }, session))),
    );
    return buttons(open, ...actionsOf(letter));
  }

  function actionsOf(letter, before = () => {}) {
    if (!session.has("deadLetters")) return [];
    const open = (action) => () => {
      before();
      action(letter, done);
    };
    const giveUp = button("deadGiveUp", "dead-give-up", open(openGiveUp));
    const mayReplay = !letter.forged || letter.unknownKey;
    return mayReplay ? [button("deadReplay", "dead-replay", open(openReplay)), giveUp] : [giveUp];
  }

  function openLetter(letter) {
    const { close } = openDialog({
      ...{ title: ["deadOpenTitle", { id: letter.id }], testid: "dead-letter", wide: true },
      body: () => [
        facts(aboutLetter(letter)),
        letter.forged &&
          h("p", { class: "form-problem", say: letter.unknownKey ? "deadUnknownKeyWhy" : "deadForgedWhy" }),
        h("h3", { say: "deadBody" }),
        h("pre", { class: "body-text", tabindex: "0", testid: "dead-body", text: letter.body }),
        letter.bodyCut && h("p", { class: "quiet-text", say: "deadBodyCut" }),
        h("div", { class: "dialog-actions" }, ...actionsOf(letter, () => close())),
      ],
    });
  }
}

function decisionCell({ decision, state, by }) {
  const known = ["replay", "giveUp"].includes(decision);
  return h(
    "div",
    { class: "stack" },
    h("span", {}, badge("plain", known ? `dead_${decision}` : ["asIs", { text: decision }])),
    state === "begun" && h("span", {}, badge("wait", "deadBegun")),
    h("span", { class: "quiet-text", text: by }),
  );
}

/** Why the person decided so, and below it why it was a dead letter; the body of one that was given up. */
function reasonsCell({ reason, deadReason, body }) {
  return h(
    "div",
    { class: "stack" },
    h("span", { text: reason }),
    h("span", { class: "quiet-text", text: deadReason }),
    body && h("details", {}, h("summary", { say: "deadBody" }), h("pre", { class: "body-text", text: body })),
  );
}

function channelCell({ channel, subject, forged, unknownKey }) {
  return h(
    "div",
    { class: "stack" },
    h("span", {}, channel, " ", forged && badge("bad", unknownKey ? "deadUnknownKey" : "deadForged")),
    h("span", { class: "id quiet-text", text: subject }),
  );
}

function orderOf({ orderId }) {
  return idOf(orderId, orderId ? hrefOf("order/:orderId", { orderId }) : undefined);
}

function aboutLetter(letter) {
  return [
    ["thTime", timeOf(letter.time)],
    ["thChannelName", letter.channel],
    ["deadSubject", h("span", { class: "id", text: letter.subject })],
    letter.orderId && ["thOrder", orderOf(letter)],
    ["thReason", letter.reason],
  ];
}

function openReplay(letter, after) {
  const { id, subject } = letter;
  openAction({
    ...{ testid: "replay", title: ["deadReplayTitle", { id }], yes: "deadReplay", after },
    fields: [reasonField(), ...(letter.unknownKey ? [checkField({ name: "keyIsBack", label: "deadKeyIsBack" })] : [])],
    about: aboutLetter(letter),
    effects: () => [["deadReplayWhat", { subject }]],
    run({ reason, keyIsBack }) {
      if (letter.unknownKey && !keyIsBack) throw refusal("deadKeyIsBackMissing");
      return call("deadLetters/replay", { id, reason, keyIsBack });
    },
    done: () => ({ text: ["deadReplayed", { id }] }),
  });
}

function openGiveUp(letter, after) {
  const { id } = letter;
  openAction({
    ...{ testid: "give-up", title: ["deadGiveUpTitle", { id }], yes: "deadGiveUp", danger: true },
    ...{ fields: [reasonField()], after },
    about: aboutLetter(letter),
    effects: () => ["deadGiveUpWhat"],
    run: ({ reason }) => call("deadLetters/giveUp", { id, reason }),
    done: () => ({ text: ["deadGivenUp", { id }] }),
  });
}
