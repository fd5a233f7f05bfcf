/** Logging in by name, password and code; and setting up an account with the code that an admin gave. */
import { whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { say, sayPlain } from "/js/language.js";
import { qrCode } from "/js/qr-code.js";
import { call } from "../api.js";
import { textField } from "../fields.js";
import { languageButton } from "../frame.js";
import { openSession } from "../session.js";

const LEAST_PASSWORD = 12;
const PASSWORD_CHARS = 200;
const NAME_CHARS = 40;

/** Login and enrolment in place of the whole page. A login that succeeds opens the session, and the page follows it. */
export function loginView(host, signal) {
  const place = h("div", { class: "login-place" });
  host.append(h("div", { class: "login" }, place, languageButton()));
  const toLogin = () => replace(place, loginForm(toEnrol));
  const toEnrol = () => replace(place, enrolForm(toLogin, toFinish));
  const toFinish = (begun) => !signal.aborted && replace(place, finishForm(begun, toLogin));
  toLogin();
}

function replace(place, form) {
  place.replaceChildren(form);
  form.querySelector("input")?.focus();
}

function loginForm(toEnrol) {
  const name = nameField();
  const password = passwordField("password", "loginPassword", "current-password");
  const totp = codeField();
  return form({
    ...{ testid: "login-form", title: "loginTitle", fields: [name, password, totp], yes: "loginGo" },
    other: { say: "loginToEnrol", testid: "to-enrol", go: toEnrol },
    // The code is good once: after a refusal another one is typed.
    run: async (values) => openSession(await call("login", values)),
    failed: () => {
      totp.input.value = "";
      totp.input.focus();
    },
  });
}

function enrolForm(toLogin, toFinish) {
  const name = nameField();
  const code = textField({ name: "code", label: "enrolCode", maxlength: 100 });
  return form({
    ...{ testid: "enrol-form", title: "enrolTitle", lead: "enrolLead", fields: [name, code], yes: "enrolNext" },
    other: { say: "enrolBack", testid: "to-login", go: toLogin },
    run: async (values) => toFinish({ ...values, ...(await call("enrol/begin", values)) }),
  });
}

function finishForm({ name, code, totpUri }, toLogin) {
  const password = passwordField("password", "enrolPassword", "new-password", "enrolPasswordHint");
  const again = passwordField("again", "enrolAgain", "new-password");
  const totp = codeField();
  const secret = new URL(totpUri).searchParams.get("secret") ?? "";
  return form({
    ...{ testid: "finish-form", title: "enrolTitle", lead: "enrolScan", yes: "enrolGo" },
    before: h(
      "div",
      { class: "totp" },
      h("div", { class: "totp-code", role: "img", label: "enrolQr" }, qrCode(totpUri)),
      h("p", { class: "field-hint", say: "enrolSecret" }),
      h("p", { class: "id totp-secret", testid: "totp-secret", text: secret.replace(/(.{4})(?=.)/g, "$1 ") }),
    ),
    fields: [password, again, totp],
    other: { say: "enrolBack", testid: "to-login", go: toLogin },
    check: (values) => {
      if (values.password.length < LEAST_PASSWORD) return { input: password.input, why: "enrolPasswordHint" };
      if (values.password !== values.again) return { input: again.input, why: "enrolDiffers" };
      return undefined;
    },
    run: async ({ password: chosen, totp: given }) =>
      openSession(await call("enrol/finish", { name, code, password: chosen, totp: given })),
  });
}

export function nameField() {
  return textField({ name: "name", label: "loginName", autocomplete: "username", maxlength: NAME_CHARS });
}

/** `autocomplete` tells the password manager whether it is the present password or a new one. */
export function passwordField(name, label, autocomplete, hint) {
  return textField({ name, label, hint, type: "password", autocomplete, maxlength: PASSWORD_CHARS });
}

/** The six digits of the authenticator app. */
export function codeField() {
  const attributes = { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 8 };
  return textField({ name: "totp", label: "loginCode", hint: "loginCodeHint", ...attributes });
}

function form({ testid, title, lead, before, fields, yes, other, check, run, failed }) {
  const problem = h("p", { class: "form-problem", role: "alert", testid: `${testid}-problem`, hidden: true });
  const submit = h("button", { class: "button primary", type: "submit", say: yes, testid: `${testid}-yes` });
  const element = h(
    "form",
    { class: "card login-card form", novalidate: true, testid, on: { submit: send } },
    h("h1", { say: title }),
    lead && h("p", { class: "lead", say: lead }),
    before,
    fields.map(({ row }) => row),
    problem,
    submit,
    h("button", {
      class: "link-button",
      type: "button",
      say: other.say,
      testid: other.testid,
      on: { click: other.go },
    }),
  );
  return element;

  function send(event) {
    event.preventDefault();
    problem.hidden = true;
    const values = {};
    for (const { name, input, read } of fields) {
      const { value, problem: why } = read();
      if (why) return complain(input, ...why);
      values[name] = value;
    }
    const wrong = check?.(values);
    if (wrong) return complain(wrong.input, wrong.why);
    whileBusy(submit, () => run(values), refused);
    return undefined;
  }

  function complain(input, key, vars) {
    say(problem, key, vars);
    problem.hidden = false;
    input.focus();
  }

  function refused(message) {
    sayPlain(problem, message);
    problem.hidden = false;
    failed?.();
  }
}
