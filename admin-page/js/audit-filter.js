/** The filter of the audit: as it stands in the address, and as the server takes it. */

const FIELDS = Object.freeze(["person", "route", "about", "from", "to"]);

/**
 * The parts of a filter that say something. A time that is none is left out, as an address may have been typed.
 * @param {Record<string, string | undefined>} given
 */
export function filterOf(given) {
  const parts = FIELDS.map((name) => [name, String(given[name] ?? "").trim()]);
  return Object.fromEntries(parts.filter(([name, value]) => value !== "" && (!isTime(name) || isIso(value))));
}

/** Every call of this page stands in the audit with its whole path; people read and type what follows. */
const BASE = "/live/admin/";

/** The filter as the server takes it. */
export function askedOf(filter) {
  const { route } = filter;
  return route && !route.startsWith("/") ? { ...filter, route: BASE + route } : filter;
}

/** A route without the base that all of the staff's API has, for people. */
export function shortRoute(route) {
  return route.startsWith(BASE) ? route.slice(BASE.length) : route;
}

/** A filter for the address: what is not set is removed from it. */
export function addressOf(filter) {
  return Object.fromEntries(FIELDS.map((name) => [name, filter[name] ?? ""]));
}

/** A time as an input of type datetime-local takes it, in the zone of the machine; "" where there is none. */
export function localTime(iso) {
  if (!iso || !isIso(iso)) return "";
  const date = new Date(iso);
  const two = (value) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** How an outcome looks: none yet, done, or refused and failed. */
export function toneOf(outcome) {
  if (outcome === null || outcome === undefined) return "wait";
  return outcome === "succeeded" ? "good" : "bad";
}

function isTime(name) {
  return name === "from" || name === "to";
}

function isIso(value) {
  return /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(new Date(value).getTime());
}
