/** What gifts and products have in common: they are on sale or not, and edits of them can be taken back. */
import { translate } from "/js/language.js";
import { openAction } from "../action-dialog.js";
import { badge } from "../cells.js";
import { editOf } from "../edits.js";
import { button, buttons, choice, refusal } from "../pieces.js";

const ON = 1;

export function saleBadge({ status }) {
  return status === ON ? badge("good", "onSale") : badge("plain", "offSale");
}

/** A filter of a whole list: everything, on sale, off sale. */
export function saleChoice(value, chosen) {
  const choices = [
    ["", "saleAny"],
    ["1", "onSale"],
    ["0", "offSale"],
  ];
  return choice({ label: "saleWhich", testid: "sale-which", choices, value }, chosen);
}

/** The rows that the choice wants; all of them for its empty value. */
export function bySale(list, which) {
  return which === "" ? list : list.filter(({ status }) => String(status) === which);
}

/**
 * The actions of rows of one kind.
 * @param {object} kind
 * @param {string} kind.testid
 * @param {(row: object) => string} kind.nameOf
 * @param {(row: object) => {name: string, read: () => object}[]} kind.fields filled with the row
 * @param {Record<string, string>} kind.labels of the row's properties that may change
 * @param {readonly string[]} kind.mayBeEmpty of these texts
 * @param {Record<string, (value: unknown) => string>} kind.shown how a property is shown
 * @param {Record<string, string>} kind.words keys: changeTitle, changeWhat, offTitle, offWhat
 * @param {(row: object, set: object) => Promise<object>} kind.update sends it; answers the row as it is then
 * @param {(row: object) => Promise<object>} kind.takeOff
 * @param {() => void} after
 */
export function saleActions(kind, after) {
  const { testid, nameOf, words } = kind;
  const show = (name, value) => kind.shown[name]?.(value) ?? (String(value ?? "") || "–");
  const change = (name, before, value) => [
    "changedFrom",
    { field: () => translate(kind.labels[name]), before: () => show(name, before), after: () => show(name, value) },
  ];

  /** @param {object} [preset] what stands in the fields in place of the row's values: an undo */
  function openChange(row, preset = {}) {
    openAction({
      ...{ testid: `${testid}-change`, title: [words.changeTitle, { name: nameOf(row) }], yes: "save", after },
      fields: kind.fields({ ...row, ...preset }),
      effects: (values) => [
        ...editOf(row, filled(values, kind.mayBeEmpty)).names.map((n) => change(n, row[n], values[n])),
        words.changeWhat,
      ],
      run: (values) => {
        const { set, names } = editOf(row, filled(values, kind.mayBeEmpty));
        if (names.length === 0) throw refusal("nothingChanged");
        return kind.update(row, set);
      },
      done: (answer, values) => {
        const { undo, names } = editOf(row, filled(values, kind.mayBeEmpty));
        const changes = () => names.map((n) => translate(...change(n, row[n], values[n]))).join(", ");
        return {
          text: ["rowChanged", { name: nameOf(row), changes }],
          undo: { say: "undoIt", open: () => openChange(answer, undo) },
        };
      },
    });
  }

  function openOff(row) {
    openAction({
      ...{
        testid: `${testid}-off`,
        title: [words.offTitle, { name: nameOf(row) }],
        yes: "takeOff",
        danger: true,
        after,
      },
      effects: () => [words.offWhat],
      run: () => kind.takeOff(row),
      done: (answer) => ({
        text: ["rowOff", { name: nameOf(row) }],
        undo: { say: "putOn", open: () => openOn(answer) },
      }),
    });
  }

  function openOn(row) {
    openAction({
      ...{ testid: `${testid}-on`, title: ["rowOnTitle", { name: nameOf(row) }], yes: "putOn", after },
      about: Object.keys(kind.labels).map((name) => [kind.labels[name], show(name, row[name])]),
      effects: () => ["rowOnWhat"],
      run: () => kind.update(row, { status: ON }),
      done: (answer) => ({
        text: ["rowOn", { name: nameOf(row) }],
        undo: { say: "takeOff", open: () => openOff(answer) },
      }),
    });
  }

  const cell = (row) =>
    buttons(
      button("change", `${testid}-change`, () => openChange(row)),
      row.status === ON
        ? button("takeOff", `${testid}-off`, () => openOff(row))
        : button("putOn", `${testid}-on`, () => openOn(row)),
    );
  return { cell, openOff };
}

/** Of a field that may be empty, no value is "". Of another one there is none yet, and nothing to compare. */
function filled(values, mayBeEmpty) {
  return { ...values, ...Object.fromEntries(mayBeEmpty.map((name) => [name, values[name] ?? ""])) };
}
