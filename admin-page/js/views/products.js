/** The products that coins are bought by. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { bounds } from "../bounds.js";
import { badge, idOf, timeOf, viewHead } from "../cells.js";
import { numberField, textField } from "../fields.js";
import { coins, number, yuan } from "../format.js";
import { bar, button } from "../pieces.js";
import { createTable } from "../table.js";
import { bySale, saleActions, saleBadge, saleChoice } from "./sale.js";

export const productsView = { path: "products", title: "productsTitle", right: "read", nav: "catalogue", show };

function fieldsOf(product = {}) {
  return [
    textField({ name: "name", label: "productName", value: product.name ?? "", maxlength: bounds.productNameChars }),
    numberField({
      name: "price",
      label: "productPrice",
      hint: "productPriceHint",
      value: product.price ?? "",
      min: 1,
      max: bounds.productFen,
    }),
    numberField({ name: "coins", label: "productCoins", value: product.coins ?? "", min: 1, max: bounds.productCoins }),
  ];
}

const kind = {
  testid: "product",
  nameOf: ({ name }) => name,
  fields: fieldsOf,
  labels: { name: "productName", price: "thPrice", coins: "productCoins" },
  mayBeEmpty: [],
  shown: { price: yuan, coins },
  words: {
    ...{ changeTitle: "productChangeTitle", changeWhat: "productChangeWhat" },
    ...{ offTitle: "productOffTitle", offWhat: "productOffWhat" },
  },
  update: ({ productId }, set) => call("product/update", { productId, ...set }),
  takeOff: ({ productId }) => call("product/offShelf", { productId }),
};

function show(root, params, session) {
  let which = params.sale ?? "";
  const mayChange = session.has("catalogue");
  const table = createTable({
    ...{ caption: "productsTitle", testid: "products", empty: "productsNone", signal: session.signal },
    fetchPage: async () => ({ list: bySale((await call("product/list", {}, session)).list, which) }),
    columns: [
      { key: "productName", wide: true, cell: ({ name }) => h("span", { text: name }) },
      { key: "productId", number: true, cell: ({ productId }) => idOf(productId) },
      { key: "thPrice", number: true, cell: ({ price }) => yuan(price) },
      { key: "productCoins", number: true, cell: coinsCell },
      { key: "thState", cell: saleBadge },
      { key: "thUpdated", cell: ({ updateTime }) => timeOf(updateTime) },
      mayChange && { key: "change", hideLabel: true, cell: (product) => actions.cell(product) },
    ].filter(Boolean),
  });
  const actions = saleActions(kind, () => table.restart());
  const add =
    mayChange && button("productAdd", "product-add", () => openAdd(actions, () => table.restart()), "primary");
  const choose = saleChoice(which, (chosen) => {
    which = chosen;
    noteInAddress({ sale: which });
    table.restart();
  });
  root.append(viewHead("productsTitle", { lead: "productsLead", beside: add }), bar(choose), table.element);
  return table.restart();
}

function coinsCell({ coins: amount }) {
  return amount === null ? badge("bad", "productInvalid") : number(amount);
}

function openAdd(actions, after) {
  openAction({
    ...{ testid: "product-add", title: "productAdd", yes: "productAdd", after },
    fields: [numberField({ name: "productId", label: "productId", min: 1 }), ...fieldsOf()],
    effects: ({ price, coins: amount }) => ["productAddWhat", ...rateOf(price, amount)],
    run: (values) => call("product/create", values),
    done: (product) => ({
      text: ["productAdded", { name: product.name }],
      undo: { say: "takeOff", open: () => actions.openOff(product) },
    }),
  });
}

/** What a slip of the keyboard shows best: how many coins a yuan buys. */
function rateOf(price, amount) {
  if (!(price > 0) || !(amount > 0)) return [];
  return [
    ["productRate", { price: () => yuan(price), n: () => coins(amount), rate: () => number(rate(price, amount)) }],
  ];
}

function rate(price, amount) {
  return Math.round((amount * 10_000) / price) / 100;
}
