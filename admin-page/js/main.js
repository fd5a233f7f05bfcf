/** Starts the page and shows the view that the address names, or the login where nobody is logged in. */
import { ApiError } from "/js/api-error.js";
import { tellFailure, whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { applyLanguage, onLanguageChange, translate, useStrings } from "/js/language.js";
import { toast } from "/js/toast.js";
import { hrefOf, paramsOf } from "./address.js";
import { call } from "./api.js";
import { focusSearch, showFrame } from "./frame.js";
import { currentSession, hasRight, onSessionChange, openSession } from "./session.js";
import { strings } from "./strings.js";
import { views } from "./views/all.js";
import { loginView } from "./views/login.js";

const main = document.getElementById("main");
let shown; // AbortController of the view on show: its requests, timers and listeners end with it
let frame; // of the session on show: its navigation and search box

function viewOf(hash) {
  for (const view of views) {
    const params = paramsOf(view.path, hash);
    if (params) return { view, params };
  }
  return undefined;
}

function titleLogin() {
  document.title = `${translate("loginTitle")} · ${translate("titlePage")}`;
}

/** A view says numbers and times in the language, and is shown again. The forms of the login keep what was typed. */
function showLanguage() {
  if (currentSession()) showView();
  else titleLogin();
}

function showView() {
  shown?.abort();
  shown = new AbortController();
  const { signal } = shown;
  main.replaceChildren();
  if (!currentSession()) {
    // The address stays: who followed a link arrives there after logging in.
    titleLogin();
    loginView(main, signal);
    return;
  }
  const found = viewOf(location.hash);
  if (!found) {
    location.replace(hrefOf("search"));
    return;
  }
  const { view, params } = found;
  document.title = `${translate(view.title)} · ${translate("titlePage")}`;
  frame.showPlace(view, params);
  const root = h("div", { class: "view" });
  main.append(root, h("p", { class: "view-loading", role: "status", say: "loading" }));
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  if (!hasRight(view.right)) {
    root.append(h("p", { class: "empty", role: "alert", say: "viewForbidden", testid: "forbidden" }));
    return;
  }
  const session = { ...currentSession(), has: hasRight, signal, refreshCounts: frame.refreshCounts };
  Promise.resolve()
    .then(() => view.show(root, params, session))
    .catch((error) => showFailure(root, error, signal));
}

/** A view that could not be loaded says so where it would be, with another try. */
function showFailure(root, error, signal) {
  if (!(error instanceof ApiError)) throw error;
  if (signal.aborted || error.loggedOut) return;
  root.replaceChildren(
    h(
      "div",
      { class: "view-failure", role: "alert", testid: "view-failure" },
      h("p", { text: error.message }),
      h("button", { class: "button", type: "button", say: "retry", testid: "view-retry", on: { click: showView } }),
    ),
  );
}

function showSession() {
  frame?.end();
  frame = currentSession() ? showFrame(views) : undefined;
  showView();
}

/** Asks who is logged in by the cookie; without an answer it says so, rather than that nobody is. */
async function start() {
  try {
    openSession(await call("session"));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.loggedOut) return showSession();
    const again = h("button", { class: "button", type: "button", say: "retry", testid: "start-retry" });
    again.addEventListener("click", () => whileBusy(again, start));
    main.replaceChildren(h("div", { class: "view-failure", role: "alert" }, h("p", { text: error.message }), again));
  }
  return undefined;
}

useStrings(strings);
applyLanguage();
onSessionChange(({ detail }) => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  showSession();
  if (detail.expired) toast.say("failLogin");
});
onLanguageChange(showLanguage);
window.addEventListener("hashchange", showView);
document.addEventListener("keydown", focusSearch);
start().catch(tellFailure);
