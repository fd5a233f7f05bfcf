/** API keys of the platform's backends. */
import { h } from "/js/dom.js";
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { bounds } from "../bounds.js";
import { badge, idOf, timeOf, viewHead } from "../cells.js";
import { numberField, textField } from "../fields.js";
import { number, time } from "../format.js";
import { manyField } from "../many-field.js";
import { moneyScopes, scopes } from "../offered.js";
import { button, secretBox } from "../pieces.js";
import { createTable } from "../table.js";

export const keysView = { path: "keys", title: "keysTitle", right: "keys", nav: "system", show };

const wordOf = (scope) => `scope_${scope.replace(":", "_")}`;

function show(root, _params, session) {
  const restart = () => table.restart();
  const table = createTable({
    ...{ caption: "keysTitle", testid: "keys", empty: "keysNone", signal: session.signal },
    fetchPage: (cursor) => call("keys/list", { ...(cursor && { cursor }) }, session),
    columns: [
      { key: "keyName", cell: nameCell },
      { key: "thScopes", wide: true, cell: scopesCell },
      { key: "keyRate", number: true, cell: ({ perMinute }) => rateOf(perMinute) },
      { key: "thMade", cell: madeCell },
      { key: "thState", cell: stateCell },
      { key: "keyRevoke", hideLabel: true, cell: revokeCell },
    ],
  });
  const add = button("keyAdd", "key-add", () => openAdd(restart), "primary");
  root.append(viewHead("keysTitle", { lead: "keysLead", beside: add }), table.element);
  return table.restart();

  function revokeCell(key) {
    return key.revokedTime ? h("span", {}) : button("keyRevoke", "key-revoke", () => openRevoke(key, restart));
  }
}

function nameCell({ keyId, name }) {
  return h("div", { class: "stack" }, h("span", { text: name }), h("span", { class: "quiet-text" }, idOf(keyId)));
}

/** A scope's explanation is in the title of its mark. */
function scopesCell({ scopes: own }) {
  const mark = (scope) =>
    h("span", {
      ...{ class: `badge badge-${moneyScopes.includes(scope) ? "wait" : "plain"}`, text: scope },
      tip: scopes.includes(scope) ? wordOf(scope) : undefined,
    });
  return h("div", { class: "marks" }, own.map(mark));
}

function rateOf(perMinute) {
  return perMinute === null ? h("span", { say: "keyDefaultRate" }) : number(perMinute);
}

function madeCell({ createdBy, createTime }) {
  return h("div", { class: "stack" }, timeOf(createTime), h("span", { class: "quiet-text", text: createdBy }));
}

function stateCell({ revokedTime }) {
  if (!revokedTime) return badge("good", "keyValid");
  return badge("plain", ["keyRevokedOn", { time: () => time(revokedTime) }]);
}

function openAdd(after) {
  const choices = scopes.map((scope) => ({
    ...{ value: scope, say: wordOf(scope) },
    badge: moneyScopes.includes(scope) && badge("wait", "scopeMoney"),
  }));
  openAction({
    ...{ testid: "key", title: "keyAdd", yes: "keyAdd", after },
    fields: [
      textField({ name: "name", label: "keyName", hint: "keyNameHint", maxlength: bounds.keyNameChars }),
      manyField({ name: "scopes", label: "keyScopes", missing: "keyScopesNone", choices }),
      numberField({
        ...{ name: "perMinute", label: "keyPerMinute", hint: "keyPerMinuteHint", required: false },
        ...{ min: 1, max: bounds.keyPerMinute },
      }),
    ],
    effects: ({ scopes: chosen }) => [
      ...chosen.filter((scope) => moneyScopes.includes(scope)).map((scope) => ["keyMay", { scope }]),
      "keyAddWhat",
    ],
    run: ({ name, scopes: chosen, perMinute }) => call("keys/create", { name, scopes: chosen, perMinute }),
    done: ({ keyId, key }, { name }) => ({
      text: ["keyMade", { name }],
      show: secretBox(key, "key-secret"),
      note: "keyShownOnce",
      undo: { say: "keyRevoke", open: () => openRevoke({ keyId, name }, after) },
    }),
  });
}

function openRevoke({ keyId, name }, after) {
  openAction({
    ...{ testid: "revoke", title: ["keyRevokeTitle", { name }], yes: "keyRevoke", danger: true, after },
    about: [["keyName", `${name} (${keyId})`]],
    effects: () => ["keyRevokeWhat"],
    run: () => call("keys/revoke", { keyId }),
    done: () => ({ text: ["keyRevoked", { name }] }),
  });
}
