/**
 * Every view, in the order of the navigation.
 *
 * A view is {path, title, right, show(root, params, session)}, and may have {nav, count}:
 * - `path` of the address after "#/", with named parts: "user/:userId". The first view whose path fits is shown.
 * - `title` key of strings.js: the window's title and the word in the navigation.
 * - `right` that a person needs to see it; `undefined`: everybody who is logged in.
 * - `show(root, params, session)` fills `root`; it may be async, and an ApiError that it throws is shown in place.
 *   `params`: the named parts and the query of the address, texts all of them. `session`: {name, role, rights, has(right),
 *   signal, refreshCounts()}; `signal` ends when another view is shown, and requests, timers and listeners end with it.
 *   After a change of language the view is shown afresh.
 * - `nav` group of the navigation ("find", "work", "catalogue", "system", "staff"); without it the view is not there.
 * - `count(figures)` the number beside the word in the navigation, of the answer of `figures`; 0 shows none.
 */
import { meView } from "./me.js";
import { orderView } from "./order.js";
import { proposalsView } from "./proposals.js";
import { restrictionsView } from "./restrictions.js";
import { roomView } from "./room.js";
import { searchView } from "./search.js";
import { userView } from "./user.js";
import { workView } from "./work.js";
import { workViews } from "./work-views.js";

export const views = [
  ...[searchView, userView, orderView, roomView, restrictionsView],
  ...[workView, proposalsView],
  ...workViews,
  meView,
];
