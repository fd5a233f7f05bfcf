/** The anchors' own shares, with the times from which they hold. */
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { openAction } from "../action-dialog.js";
import { hrefOf, noteInAddress } from "../address.js";
import { call } from "../api.js";
import { badge, idOf, timeOf, viewHead } from "../cells.js";
import { numberField, textField, timeField } from "../fields.js";
import { filterForm } from "../filter-form.js";
import { time } from "../format.js";
import { button } from "../pieces.js";
import { createTable } from "../table.js";

export const sharesView = { path: "shares", title: "sharesTitle", right: "read", nav: "catalogue", show };

const USER_ID = /^[1-9]\d{0,18}$/;

function show(root, params, session) {
  let userId = USER_ID.test(params.userId ?? "") ? params.userId : undefined;
  const table = createTable({
    ...{ caption: "sharesTitle", testid: "shares", empty: "sharesNone", signal: session.signal },
    fetchPage: (cursor) => call("share/list", { ...(userId && { userId }), ...(cursor && { cursor }) }, session),
    columns: [
      { key: "thAnchor", cell: anchorCell },
      { key: "thShare", number: true, cell: ({ percent }) => percentOf(percent) },
      { key: "thFrom", cell: ({ from }) => timeOf(from) },
      { key: "thState", cell: stateCell },
      {
        key: "thWritten",
        wide: true,
        cell: ({ operator, written }) => h("span", {}, operator, " · ", timeOf(written)),
      },
    ],
  });
  const filter = filterForm({
    testid: "shares",
    fields: [userField("userId", { value: userId ?? "", required: false })],
    chosen(values) {
      userId = values.userId;
      noteInAddress({ userId });
      table.restart();
    },
  });
  const add =
    session.has("shares") && button("shareSet", "share-set", () => openSet(userId, () => table.restart()), "primary");
  root.append(viewHead("sharesTitle", { lead: "sharesLead", beside: add }), filter, table.element);
  return table.restart();
}

function userField(name, more) {
  const field = textField({ name, label: "shareAnchor", inputmode: "numeric", ...more });
  return {
    ...field,
    read() {
      const { value, problem } = field.read();
      return problem || value === undefined || USER_ID.test(value)
        ? { value, problem }
        : { problem: ["userIdBad", {}] };
    },
  };
}

function percentOf(percent) {
  return percent === null ? h("span", { say: "shareDefault" }) : `${percent} %`;
}

function anchorCell({ anchorId }) {
  return idOf(anchorId, hrefOf("user/:userId", { userId: anchorId }));
}

function stateCell({ inForce, verdict, from }) {
  if (verdict === "wrong") return badge("bad", "shareWrong");
  if (verdict === "unknownKey") return badge("bad", "shareUnknownKey");
  if (inForce) return badge("good", "shareNow");
  return new Date(from).getTime() > Date.now() ? badge("wait", "shareLater") : badge("plain", "sharePast");
}

function openSet(anchor, after) {
  const words = ({ percent }) => (percent === undefined ? translate("shareDefault") : `${percent} %`);
  openAction({
    ...{ testid: "share", title: "shareSet", yes: "shareSet", after },
    fields: [
      userField("userId", { value: anchor ?? "" }),
      numberField({
        name: "percent",
        label: "sharePercent",
        hint: "sharePercentHint",
        required: false,
        min: 0,
        max: 100,
      }),
      timeField({ name: "from", label: "shareFrom", hint: "shareFromHint", future: true }),
    ],
    effects: (values) => [
      [
        "shareSetWhat",
        { percent: () => words(values), time: () => (values.from ? time(values.from) : translate("shareAtOnce")) },
      ],
      "shareSetKeeps",
    ],
    run: ({ userId, percent, from }) => call("share/set", { userId, percent, from }),
    done: ({ from }, values) => ({
      text: ["shareDone", { id: values.userId, time: () => time(from), percent: () => words(values) }],
      undo: { say: "shareSet", open: () => openSet(values.userId, after) },
    }),
  });
}
