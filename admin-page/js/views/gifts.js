/** The catalogue of gifts. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { bounds } from "../bounds.js";
import { idOf, timeOf, viewHead } from "../cells.js";
import { numberField, textField } from "../fields.js";
import { coins, number } from "../format.js";
import { giftPicture } from "../gift-picture.js";
import { bar, button } from "../pieces.js";
import { createTable } from "../table.js";
import { bySale, saleActions, saleBadge, saleChoice } from "./sale.js";

export const giftsView = { path: "gifts", title: "giftsTitle", right: "read", nav: "catalogue", show };

function fieldsOf(gift = {}) {
  const url = (name, label, hint) =>
    textField({
      name,
      label,
      hint,
      required: false,
      value: gift[name] ?? "",
      maxlength: bounds.giftUrlChars,
      inputmode: "url",
    });
  return [
    textField({ name: "giftName", label: "giftName", value: gift.giftName ?? "", maxlength: bounds.giftNameChars }),
    numberField({ name: "price", label: "giftPrice", value: gift.price ?? "", min: 1, max: bounds.giftPrice }),
    url("coverImgUrl", "giftCover", "giftCoverHint"),
    url("svgaUrl", "giftSvga"),
  ];
}

const kind = {
  testid: "gift",
  nameOf: ({ giftName }) => giftName,
  fields: fieldsOf,
  labels: { giftName: "giftName", price: "giftPrice", coverImgUrl: "giftCover", svgaUrl: "giftSvga" },
  mayBeEmpty: ["coverImgUrl", "svgaUrl"],
  shown: { price: coins },
  words: {
    ...{
      changeTitle: "giftChangeTitle",
      changeWhat: "giftChangeWhat",
      offTitle: "giftOffTitle",
      offWhat: "giftOffWhat",
    },
  },
  update: ({ giftId }, set) => call("gift/update", { giftId, ...set }),
  takeOff: ({ giftId }) => call("gift/offShelf", { giftId }),
};

function show(root, params, session) {
  let which = params.sale ?? "";
  const mayChange = session.has("catalogue");
  const table = createTable({
    ...{ caption: "giftsTitle", testid: "gifts", empty: "giftsNone", signal: session.signal },
    async fetchPage(cursor) {
      const { list, nextCursor = null } = await call("gift/all", { ...(cursor && { cursor }) }, session);
      return { list: bySale(list, which), nextCursor };
    },
    columns: [
      { key: "giftName", wide: true, cell: nameCell },
      { key: "giftId", number: true, cell: ({ giftId }) => idOf(giftId) },
      { key: "giftPrice", number: true, cell: ({ price }) => number(price) },
      { key: "thState", cell: saleBadge },
      { key: "thUpdated", cell: ({ updateTime }) => timeOf(updateTime) },
      mayChange && { key: "change", hideLabel: true, cell: (gift) => actions.cell(gift) },
    ].filter(Boolean),
  });
  const actions = saleActions(kind, () => table.restart());
  const add = mayChange && button("giftAdd", "gift-add", () => openAdd(actions, () => table.restart()), "primary");
  const choose = saleChoice(which, (chosen) => {
    which = chosen;
    noteInAddress({ sale: which });
    table.restart();
  });
  root.append(viewHead("giftsTitle", { lead: "giftsLead", beside: add }), bar(choose), table.element);
  return table.restart();
}

function nameCell(gift) {
  return h(
    "div",
    { class: "with-picture" },
    giftPicture(gift),
    h("span", { class: "stack" }, h("span", { text: gift.giftName }), addressLine(gift)),
  );
}

function addressLine({ coverImgUrl }) {
  return coverImgUrl && h("span", { class: "id quiet-text", text: coverImgUrl });
}

function openAdd(actions, after) {
  openAction({
    ...{ testid: "gift-add", title: "giftAdd", yes: "giftAdd", after },
    fields: [numberField({ name: "giftId", label: "giftId", min: 1 }), ...fieldsOf()],
    effects: () => ["giftAddWhat"],
    run: (values) => call("gift/create", values),
    done: (gift) => ({
      text: ["giftAdded", { name: gift.giftName }],
      undo: { say: "takeOff", open: () => actions.openOff(gift) },
    }),
  });
}
