/** What stands around every view: the bar with the search box and the person, and the navigation with its counts. */
import { ApiError } from "/js/api-error.js";
import { whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { toggleLanguage } from "/js/language.js";
import { hrefOf } from "./address.js";
import { call } from "./api.js";
import { moveWithArrows } from "./arrows.js";
import { closeSession, currentSession, hasRight } from "./session.js";

const COUNTS_EVERY_MS = 30_000;
/** How long the server may answer with the same figures (config/limits/admin.ts). */
const FIGURES_KEPT_MS = 2_000;
const GROUPS = ["find", "work", "catalogue", "system", "staff"];
const QUERY_CHARS = 200;

export function languageButton() {
  return h("button", {
    ...{ class: "button quiet small", type: "button", say: "language", label: "languageLabel", testid: "language" },
    on: { click: toggleLanguage },
  });
}

/** @returns {{showPlace: (view: object, params: object) => void, refreshCounts: () => Promise<void>, end: () => void}} */
export function showFrame(views) {
  const ended = new AbortController();
  const header = document.getElementById("header");
  const nav = document.getElementById("nav");
  const search = searchBox();
  const menu = h("button", {
    ...{ class: "button quiet small menu-button", type: "button", say: "menu", testid: "menu" },
    ...{ "aria-expanded": "false", "aria-controls": "nav" },
    on: { click: () => openMenu(menu.getAttribute("aria-expanded") !== "true") },
  });
  const links = views.filter((view) => view.nav && hasRight(view.right)).map(navLink);
  header.replaceChildren(
    h("button", { class: "skip-link", type: "button", say: "skip", on: { click: focusMain } }),
    menu,
    h(
      "a",
      { class: "brand", href: hrefOf("search") },
      h("img", { src: "/favicon.svg", alt: "", width: 22, height: 22 }),
      h("span", { say: "brand" }),
    ),
    search.form,
    person(),
  );
  nav.replaceChildren(
    ...GROUPS.map((group) => [group, links.filter(({ view }) => view.nav === group)])
      .filter(([, members]) => members.length > 0)
      .map(([group, members]) => navGroup(group, members)),
  );
  moveWithArrows(nav, "a");
  setFrameHidden(false);
  nav.addEventListener("click", (event) => event.target.closest("a") && openMenu(false), { signal: ended.signal });
  document.addEventListener("keydown", (event) => event.key === "Escape" && openMenu(false), { signal: ended.signal });

  function openMenu(open) {
    menu.setAttribute("aria-expanded", String(open));
    nav.classList.toggle("open", open);
  }

  /** Counts are a help: where they cannot be had, none are shown, and the views themselves say why. */
  async function refreshCounts() {
    if (document.hidden || !links.some(({ view }) => view.count)) return;
    let figures;
    try {
      figures = await call("figures", {}, { signal: ended.signal });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    for (const { view, count } of links) showCount(count, figures && view.count?.(figures));
  }

  /** After an action: at once, and again when no figures are answered any more that were read before it. */
  function countsChanged() {
    clearTimeout(later);
    later = setTimeout(refreshCounts, FIGURES_KEPT_MS);
    return refreshCounts();
  }

  let later;
  const timer = setInterval(refreshCounts, COUNTS_EVERY_MS);
  document.addEventListener("visibilitychange", refreshCounts, { signal: ended.signal });
  refreshCounts();

  return {
    refreshCounts: countsChanged,
    showPlace(view, params) {
      for (const { view: of, link } of links) {
        if (of === view) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
      if (view.path === "search") search.input.value = params.q ?? "";
      openMenu(false);
    },
    end() {
      ended.abort();
      clearInterval(timer);
      clearTimeout(later);
      setFrameHidden(true);
    },
  };
}

function setFrameHidden(hidden) {
  for (const id of ["header", "nav"]) document.getElementById(id).hidden = hidden;
  if (hidden) for (const id of ["header", "nav"]) document.getElementById(id).replaceChildren();
}

function navLink(view) {
  const count = h("span", { class: "nav-count", testid: `count-${view.path}`, hidden: true });
  const href = hrefOf(view.path);
  const link = h("a", { class: "nav-link", href, testid: `nav-${view.path}` }, h("span", { say: view.title }), count);
  return { view, link, count };
}

function navGroup(group, members) {
  return h(
    "div",
    { class: "nav-group" },
    h("p", { class: "nav-title", say: `nav_${group}` }),
    h(
      "ul",
      {},
      members.map(({ link }) => h("li", {}, link)),
    ),
  );
}

function showCount(element, count) {
  element.hidden = !(count > 0);
  element.textContent = count > 0 ? String(count) : "";
}

function searchBox() {
  const input = h("input", {
    ...{ class: "input search-input", type: "search", id: "search", name: "q", testid: "search" },
    ...{ hint: "searchHint", label: "searchLabel", autocomplete: "off", spellcheck: "false", maxlength: QUERY_CHARS },
    ...{ "aria-keyshortcuts": "/" },
    on: { keydown: leave },
  });
  const form = h("form", { class: "search", role: "search", on: { submit: go } }, input, h("kbd", { text: "/" }));
  return { form, input };

  function go(event) {
    event.preventDefault();
    const q = input.value.trim();
    if (!q) return;
    const to = hrefOf("search", { q });
    // The same words again are a wish to look again.
    if (to === location.hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = to;
  }

  function leave(event) {
    if (event.key === "Escape") focusMain();
  }
}

/** The key "/" goes to the search box from everywhere but a field or a dialog. */
export function focusSearch(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
  const box = document.getElementById("search");
  if (!box || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  box.focus();
  box.select();
}

function focusMain() {
  document.getElementById("main").focus();
}

function person() {
  const { name, role } = currentSession();
  return h(
    "div",
    { class: "person" },
    h(
      "a",
      { class: "person-name", href: hrefOf("me"), testid: "person" },
      h("span", { text: name }),
      h("span", { class: "badge badge-plain", say: `role_${role}` }),
    ),
    languageButton(),
    h("button", {
      class: "button quiet small",
      type: "button",
      say: "logout",
      testid: "logout",
      on: { click: logOut },
    }),
  );
}

async function logOut(event) {
  const ended = await whileBusy(event.currentTarget, () => call("logout").then(() => true));
  // A session that could not be ended is not called ended: its cookie is still there.
  if (ended) closeSession();
}
