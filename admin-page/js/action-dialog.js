/**
 * An action of a person of the staff: the dialog says exactly what will happen, asks for what is needed, and says
 * afterwards what was done and how to undo it.
 */
import { ApiError } from "/js/api-error.js";
import { whileBusy } from "/js/busy.js";
import { openDialog } from "/js/dialog.js";
import { h } from "/js/dom.js";
import { say, sayPlain, translate } from "/js/language.js";
import { toast } from "/js/toast.js";
import { hrefOf } from "./address.js";
import { facts } from "./cells.js";
import { time } from "./format.js";

/**
 * @typedef {string | [key: string, vars: object]} Said a key of strings.js, with its variables
 *
 * @param {object} options
 * @param {string} options.testid
 * @param {Said} options.title
 * @param {[key: string, value: Node | string][]} [options.about] what it concerns
 * @param {ReturnType<import("./fields.js").textField>[]} [options.fields]
 * @param {(values: object) => Said[]} options.effects what will happen, of what has been filled in so far
 * @param {Said} options.yes the word on the button
 * @param {boolean} [options.danger]
 * @param {(values: object) => Promise<object>} options.run sends it. Pressed again after a failure it is sent again, so
 *   its ids are made before the dialog opens (act-id.js)
 * @param {(answer: object, values: object) => {text: Said | Said[], undo?: {say: Said, open: () => void}, note?: Said,
 *   show?: Node, link?: {href: string, say: Said}}} options.done `undo` is a button, `note` the words where there is
 *   none, `link` leads to where more is to be seen
 * @param {(answer: object) => void} [options.after] the view's part, when it was done
 * @param {boolean} [options.moves] whether it asks for a move of money, whose answer may be that another person decides
 * @param {string} [options.proposed] what the dialog says then
 * @param {boolean} [options.once] whether sending it again from the same dialog carries it out once in all
 */
export function openAction(options) {
  const { testid, title, about, fields = [], effects, yes, danger = false, run, done, after } = options;
  const { moves = false, once = moves, proposed = "proposedText" } = options;
  const problem = h("p", { class: "form-problem", role: "alert", testid: `${testid}-problem`, hidden: true });
  const lines = h("ul", { class: "effects", testid: `${testid}-effects` });
  const submit = h("button", {
    ...{ class: `button ${danger ? "danger" : "primary"}`, type: "submit", say: yes, testid: `${testid}-yes` },
  });
  // While it is sent the dialog stays: whoever closed it and began anew would send another act with another id.
  let sending = false;
  const { close, signal } = openDialog({ title, testid, wide: true, mayClose: () => !sending, body: () => form() });
  showEffects();
  // The browser gives the focus to the first control, which is the button that closes.
  (fields[0]?.input ?? submit).focus();

  function form() {
    const cancel = h("button", { class: "button", type: "button", say: "cancel", on: { click: () => close() } });
    return h(
      "form",
      { class: "form", novalidate: true, on: { submit: send, input: showEffects, change: showEffects } },
      about && facts(about),
      fields.map(({ row }) => row),
      h("div", { class: "effects-box" }, h("p", { class: "effects-title", say: "willHappen" }), lines),
      problem,
      h("div", { class: "dialog-actions" }, cancel, submit),
    );
  }

  function showEffects() {
    const values = Object.fromEntries(fields.map(({ name, read }) => [name, read().value]));
    lines.replaceChildren(...effects(values).map((line) => h("li", { say: line })));
  }

  function complain(input, [key, vars]) {
    input.setAttribute("aria-invalid", "true");
    say(problem, key, vars);
    problem.hidden = false;
    input.focus();
  }

  function send(event) {
    event.preventDefault();
    problem.hidden = true;
    for (const { input } of fields) input.removeAttribute("aria-invalid");
    const values = {};
    for (const { name, input, read } of fields) {
      const { value, problem: why } = read();
      if (why) return complain(input, why);
      values[name] = value;
    }
    const box = event.currentTarget;
    whileBusy(
      submit,
      async () => {
        sending = true;
        try {
          const answer = await run(values);
          sending = false;
          showDone(box, answer, values);
          after?.(answer);
        } catch (error) {
          if (error instanceof ApiError && mayHaveHappened(error)) return unsure(error);
          throw error;
        } finally {
          sending = false;
        }
      },
      fail,
    );
    return undefined;
  }

  function fail(message) {
    if (signal.aborted) return toast.failure(message);
    sayPlain(problem, message);
    problem.hidden = false;
    return undefined;
  }

  function unsure(error) {
    const [key, vars] = [once ? "actionUnsureOnce" : "actionUnsure", { msg: error.message }];
    // The dialog is gone, and with it the act that may be sent again.
    if (signal.aborted) return toast.failure(translate("actionUnsure", vars));
    say(problem, key, vars);
    problem.hidden = false;
    return undefined;
  }

  function showDone(box, answer, values) {
    const waiting = moves ? notMovedYet(answer, proposed) : undefined;
    const outcome = waiting ?? done(answer, values);
    // Another view was opened meanwhile, and has ended the dialog.
    if (signal.aborted) return toast.notice(linesOf(outcome.text).map(spoken).join(" "));
    box.replaceWith(donePanel({ about, ...outcome }, close, testid));
    // What is shown once has its own button, which copies it; else Enter closes, and undoes nothing.
    const first = outcome.show ? "button" : ".dialog-actions .primary";
    document.querySelector(`[data-testid="${testid}-done"] ${first}`)?.focus();
  }
}

/** One text, or several. */
function linesOf(text) {
  return typeof text === "string" || typeof text[0] === "string" ? [text] : text;
}

function spoken(line) {
  return translate(...(typeof line === "string" ? [line] : line));
}

function donePanel({ about, text, waits, undo, note, show, link }, close, testid) {
  const openUndo = () => {
    close();
    undo.open();
  };
  return h(
    "div",
    { class: "form", role: "status", testid: `${testid}-done` },
    about && facts(about),
    linesOf(text).map((line) => h("p", { class: waits ? "form-waits" : "form-news", say: line })),
    show,
    note && h("p", { class: "lead", say: note }),
    h(
      "div",
      { class: "dialog-actions" },
      undo &&
        h("button", {
          class: "button",
          type: "button",
          say: undo.say,
          testid: `${testid}-undo`,
          on: { click: openUndo },
        }),
      link && h("a", { class: "button", href: link.href, say: link.say, testid: `${testid}-link` }),
      h("button", { class: "button primary", type: "button", say: "close", on: { click: close } }),
    ),
  );
}

/** Also after an answer: a service that did not answer in time may carry out what it was asked. */
function mayHaveHappened({ answered, retryable, loggedOut }) {
  return !loggedOut && (!answered || retryable);
}

const MOVED_OTHERWISE = new Set(["approved", "declined", "expired"]);

/** Above the bound nothing has moved yet: another person decides, or has decided on what was asked for by this id. */
function notMovedYet(answer, proposed) {
  const { state, proposalId, expiresTime } = answer ?? {};
  const link = { href: hrefOf("proposals"), say: "proposedLink" };
  if (state === "proposed")
    return {
      ...{ waits: true, note: "proposedUndo", link },
      text: [proposed, { id: proposalId, time: () => time(expiresTime) }],
    };
  if (!MOVED_OTHERWISE.has(state)) return undefined;
  return { waits: true, text: [`moved_${state}`, { id: proposalId }], link };
}
