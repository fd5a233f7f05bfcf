/** The topics of paid orders, by biz code. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { bounds } from "../bounds.js";
import { badge, idOf, viewHead } from "../cells.js";
import { checkField, numberField, textField } from "../fields.js";
import { number } from "../format.js";
import { button } from "../pieces.js";
import { createTable } from "../table.js";

export const topicsView = { path: "topics", title: "topicsTitle", right: "read", nav: "catalogue", show };

function show(root, _params, session) {
  const maySet = session.has("topics");
  const restart = () => {
    table.restart();
    session.refreshCounts();
  };
  const table = createTable({
    ...{ caption: "topicsTitle", testid: "topics", empty: "topicsNone", signal: session.signal },
    fetchPage: () => call("topic/list", {}, session),
    columns: [
      { key: "topicBizCode", number: true, cell: ({ bizCode }) => idOf(bizCode) },
      { key: "topicTopic", cell: ({ topic }) => h("span", { class: "id", text: topic }) },
      { key: "thState", cell: ({ status }) => (status === 1 ? badge("good", "topicOn") : badge("plain", "topicOff")) },
      { key: "topicWaiting", number: true, cell: waitingCell },
      { key: "topicRemark", wide: true, cell: ({ remark }) => remark && h("span", { text: remark }) },
      maySet && { key: "topicSet", hideLabel: true, cell: setCell },
    ].filter(Boolean),
  });
  const add = maySet && button("topicSet", "topic-add", () => openSet(undefined, restart), "primary");
  root.append(viewHead("topicsTitle", { lead: "topicsLead", beside: add }), table.element);
  return table.restart();

  function setCell(topic) {
    return button("change", "topic-set", () => openSet(topic, restart));
  }
}

function waitingCell({ waiting }) {
  if (waiting === 0) return number(waiting);
  return h("a", { class: "badge badge-wait", href: hrefOf("parked", { mark: "topicMissing" }), text: number(waiting) });
}

/** @param {object} [before] the row; undefined: of a biz code that may be new. @param {object} [preset] an undo */
function openSet(before, after, preset = {}) {
  const from = { topic: "", status: 1, remark: "", ...before, ...preset };
  const fields = [
    textField({ name: "topic", label: "topicTopic", value: from.topic, maxlength: bounds.topicChars }),
    textField({
      name: "remark",
      label: "topicRemark",
      value: from.remark,
      required: false,
      maxlength: bounds.remarkChars,
    }),
    checkField({ name: "on", label: "topicStatus", checked: from.status === 1 }),
  ];
  const code = numberField({ name: "bizCode", label: "topicBizCode", min: 1, max: bounds.bizCode });
  openAction({
    ...{ testid: "topic", yes: "topicSet", after, fields: before ? fields : [code, ...fields] },
    title: before ? ["topicSetTitle", { code: before.bizCode }] : "topicSet",
    effects: () => [before ? ["topicSetWhat", { n: () => number(before.waiting) }] : "topicSetNew"],
    run: ({ bizCode = before?.bizCode, topic, remark = "", on }) =>
      call("topic/set", { bizCode, topic, remark, status: on ? 1 : 0 }),
    done: (row) => {
      const undone = before ?? { status: 0 };
      const { topic = row.topic, remark = row.remark, status } = undone;
      return {
        text: [before ? "topicDone" : "topicDoneNew", { code: row.bizCode, topic: row.topic }],
        undo: { say: "undoIt", open: () => openSet(row, after, { topic, remark, status }) },
      };
    },
  });
}
