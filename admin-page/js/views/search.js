/** Search: one box for everything that a complaint may name; what was found is grouped by its kind. */
import { viewHead } from "../cells.js";

export const searchView = { path: "search", title: "searchTitle", nav: "find", right: "read", show };

function show(root) {
  root.append(viewHead("searchTitle"));
}
