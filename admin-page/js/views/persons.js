/** The persons of the staff, and what each role may do. */
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { openAction } from "../action-dialog.js";
import { hrefOf } from "../address.js";
import { call } from "../api.js";
import { badge, timeOf, viewHead } from "../cells.js";
import { choiceField, textField } from "../fields.js";
import { number, time } from "../format.js";
import { button, buttons, linkButton, part, refusal, secretBox } from "../pieces.js";
import { personActions, rights, roles } from "../roles.js";
import { staticTable } from "../static-table.js";
import { createTable } from "../table.js";

export const personsView = { path: "persons", title: "personsTitle", right: "persons", nav: "staff", show };

const NAME = /^[a-z0-9-]{1,40}$/;
const NAME_CHARS = 40;
const STATE_TONES = { invited: "wait", active: "good", disabled: "plain" };

function show(root, _params, session) {
  const restart = () => table.restart();
  const table = createTable({
    ...{ caption: "personsTitle", testid: "persons", empty: "personsNone", signal: session.signal },
    fetchPage: () => call("persons/list", {}, session),
    columns: [
      { key: "personName", cell: nameCell },
      { key: "personRole", cell: ({ role }) => h("span", { say: `role_${role}` }) },
      { key: "thState", cell: ({ state }) => badge(STATE_TONES[state] ?? "plain", `personState_${state}`) },
      { key: "personLastLogin", cell: lastLoginCell },
      { key: "personSessions", number: true, cell: ({ sessions }) => number(sessions) },
      { key: "personMore", hideLabel: true, wide: true, cell: actionsCell },
    ],
  });
  const add = button("personAdd", "person-add", () => openAdd(restart), "primary");
  root.append(
    viewHead("personsTitle", { lead: "personsLead", beside: add }),
    table.element,
    part("rolesTitle", rolesTable()),
  );
  return table.restart();

  function nameCell({ name }) {
    return h(
      "span",
      { class: "marks" },
      h("strong", { text: name }),
      name === session.name && badge("plain", "personYou"),
    );
  }

  function actionsCell(person) {
    const open = { role: openRole, reset: openReset, disable: openDisable, enable: openEnable, endSessions: openEnd };
    const words = {
      ...{ role: "personChangeRole", reset: "personReset", disable: "personDisable", enable: "personEnable" },
      endSessions: "personEndSessions",
    };
    return buttons(
      ...personActions(person, session.name).map((action) =>
        button(words[action], `person-${action}`, () => open[action](person, restart)),
      ),
      session.has("audit") && linkButton("personAudit", "person-audit", hrefOf("audit", { person: person.name })),
    );
  }
}

function lastLoginCell({ lastLoginTime }) {
  return lastLoginTime ? timeOf(lastLoginTime) : h("span", { class: "quiet-text", say: "personNever" });
}

/** A right a row, a role a column: the word for who does not see the mark. */
function rolesTable() {
  const mark = (may) =>
    h(
      "span",
      { class: may ? "may" : "may-not" },
      h("span", { "aria-hidden": "true", text: may ? "✓" : "–" }),
      h("span", { class: "visually-hidden", say: may ? "roleMay" : "roleMayNot" }),
    );
  const { element, show: showRows } = staticTable({
    ...{ caption: "rolesTitle", testid: "roles" },
    columns: [
      { key: "thRight", head: true, cell: (right) => h("span", { say: `right_${right}` }) },
      ...Object.entries(roles).map(([role, own]) => ({
        key: `role_${role}`,
        cell: (right) => mark(own.includes(right)),
      })),
    ],
  });
  showRows(rights);
  element.classList.add("compact-cards");
  return element;
}

function roleField(value) {
  return choiceField({
    ...{ name: "role", label: "personRole", value },
    choices: Object.keys(roles).map((role) => [role, `role_${role}`]),
  });
}

/** What a role may do, in words. */
function mayOf(role) {
  const words = () => (roles[role] ?? []).map((right) => translate(`right_${right}`)).join(" · ");
  return ["personMay", { rights: words }];
}

function setupDone(name, { setupCode, expiresTime }) {
  return {
    show: h(
      "div",
      { class: "form" },
      h("p", { say: ["setupTitle", { name }] }),
      secretBox(setupCode, "setup-code"),
      h("p", { class: "quiet-text", say: ["setupHow", { url: `${location.origin}/admin` }] }),
    ),
    note: ["setupOnce", { time: () => time(expiresTime) }],
  };
}

function openAdd(after) {
  const name = textField({ name: "name", label: "personName", hint: "personNameHint", maxlength: NAME_CHARS });
  const checked = {
    ...name,
    read() {
      const { value, problem } = name.read();
      return problem || NAME.test(value) ? { value, problem } : { value, problem: ["personNameBad", {}] };
    },
  };
  openAction({
    ...{ testid: "person", title: "personAdd", yes: "personAdd", fields: [checked, roleField("support")], after },
    effects: ({ role }) => ["personAddWhat", mayOf(role)],
    run: (values) => call("persons/add", values),
    done: (answer, values) => ({
      text: ["personAdded", { name: values.name }],
      ...setupDone(values.name, answer),
      undo: { say: "personDisable", open: () => openDisable({ name: values.name }, after) },
    }),
  });
}

function openRole({ name, role: before }, after, preset = before) {
  openAction({
    ...{ testid: "role", title: ["personRoleTitle", { name }], yes: "save", fields: [roleField(preset)], after },
    effects: ({ role }) => ["personRoleWhat", mayOf(role)],
    run({ role }) {
      if (role === before) throw refusal("nothingChanged");
      return call("persons/role", { name, role });
    },
    done: (_answer, { role }) => ({
      text: ["personRoleDone", { name, role: () => translate(`role_${role}`) }],
      undo: { say: "undoIt", open: () => openRole({ name, role }, after, before) },
    }),
  });
}

function openDisable({ name }, after) {
  openAction({
    ...{ testid: "disable", title: ["personDisableTitle", { name }], yes: "personDisable", danger: true, after },
    effects: () => ["personDisableWhat"],
    run: () => call("persons/disable", { name }),
    done: () => ({
      text: ["personDisabled", { name }],
      undo: { say: "personEnable", open: () => openEnable({ name }, after) },
    }),
  });
}

function openEnable({ name }, after) {
  openAction({
    ...{ testid: "enable", title: ["personEnableTitle", { name }], yes: "personEnable", after },
    effects: () => ["personEnableWhat"],
    run: () => call("persons/enable", { name }),
    done: () => ({
      text: ["personEnabled", { name }],
      undo: { say: "personDisable", open: () => openDisable({ name }, after) },
    }),
  });
}

function openReset({ name }, after) {
  openAction({
    ...{ testid: "reset", title: ["personResetTitle", { name }], yes: "personReset", danger: true, after },
    effects: () => ["personResetWhat"],
    run: () => call("persons/reset", { name }),
    done: (answer) => ({ text: ["personResetDone", { name }], ...setupDone(name, answer) }),
  });
}

function openEnd({ name }, after) {
  openAction({
    ...{ testid: "end-sessions", title: "personEndSessions", yes: "personEndSessions", after },
    about: [["personName", name]],
    effects: () => ["personEndSessionsWhat"],
    run: () => call("persons/endSessions", { name }),
    done: () => ({ text: ["personSessionsEnded", { name }] }),
  });
}
