/**
 * The current language, and texts that follow it: an element with a key is filled again after a change, without leaving
 * the room. Each page brings its own table of texts.
 */
const KEPT_AS = "ovation.language";
const said = new WeakMap(); // element → Map of text or attribute name → {key, vars}
const changes = new EventTarget();
let strings = {};
let language = kept() === "en" ? "en" : "zh";

function kept() {
  try {
    return localStorage.getItem(KEPT_AS);
  } catch {
    return null; // storage may be forbidden; the choice then lasts for the page
  }
}

/** @param {Record<string, readonly [zh: string, en: string]>} table every text of the page; `titlePage` is its title */
export function useStrings(table) {
  strings = table;
}

export function currentLanguage() {
  return language;
}

export function onLanguageChange(listener, signal) {
  changes.addEventListener("change", listener, { signal });
}

export function toggleLanguage() {
  language = language === "zh" ? "en" : "zh";
  try {
    localStorage.setItem(KEPT_AS, language);
  } catch {
    // see kept()
  }
  applyLanguage();
  changes.dispatchEvent(new Event("change"));
}

export function applyLanguage() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = translate("titlePage");
  for (const element of document.querySelectorAll("[data-said]")) {
    for (const [what, { key, vars }] of said.get(element) ?? []) put(element, what, translate(key, vars));
  }
}

export function translate(key, vars = {}) {
  const text = strings[key]?.[language === "zh" ? 0 : 1] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => spell(vars[name]));
}

/** A variable may be a text that itself follows the language: a function of no arguments. */
function spell(value) {
  return String(typeof value === "function" ? value() : (value ?? ""));
}

/** Shows a text by its key, now and after every change of language. `what` is "text" or the name of an attribute. */
export function say(element, key, vars, what = "text") {
  if (!said.has(element)) said.set(element, new Map());
  said.get(element).set(what, { key, vars });
  element.setAttribute("data-said", "");
  put(element, what, translate(key, vars));
}

/** Shows a text of its own (a server's message, nothing) in place of one that followed the language. */
export function sayPlain(element, text) {
  said.get(element)?.delete("text");
  element.textContent = text;
}

function put(element, what, text) {
  if (what === "text") element.textContent = text;
  else element.setAttribute(what, text);
}
