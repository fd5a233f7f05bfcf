/** Addresses of views: #/user/7?tab=payments. A path names its parts: "user/:userId". */

/** @param {Record<string, unknown>} [params] those that the path does not name go after the question mark */
export function hrefOf(path, params = {}) {
  const rest = { ...params };
  const place = path
    .split("/")
    .map((part) => {
      if (!part.startsWith(":")) return part;
      const value = rest[part.slice(1)];
      delete rest[part.slice(1)];
      return encodeURIComponent(String(value));
    })
    .join("/");
  const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value !== undefined && value !== ""));
  return `#/${place}${query.size > 0 ? `?${query}` : ""}`;
}

/** @returns {Record<string, string> | undefined} the parts and the query of a hash that fits the path */
export function paramsOf(path, hash) {
  const [place = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const wanted = path.split("/");
  const given = place.split("/");
  if (wanted.length !== given.length) return undefined;
  const params = Object.fromEntries(new URLSearchParams(query));
  for (const [index, part] of wanted.entries()) {
    const value = decoded(given[index]);
    if (value === undefined) return undefined;
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Writes a parameter (a tab, a filter) into the address without showing the view again. */
export function noteInAddress(params) {
  const [place, query = ""] = location.hash.split(/\?(.*)/s);
  const all = new URLSearchParams(query);
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "") all.delete(name);
    else all.set(name, value);
  }
  history.replaceState(null, "", `${place || "#/"}${all.size > 0 ? `?${all}` : ""}`);
}
