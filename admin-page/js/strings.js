/** Every text of the staff page: key → [zh, en]. `{name}` is filled in by the caller. A part of the page has a table. */
import { catalogueStrings } from "./strings-catalogue.js";
import { frameStrings } from "./strings-frame.js";
import { peopleStrings } from "./strings-people.js";
import { storyStrings } from "./strings-story.js";
import { systemStrings } from "./strings-system.js";
import { workStrings } from "./strings-work.js";

/** The tables by name, to be compared: no key may be in two of them. */
export const tables = Object.freeze({
  frameStrings,
  peopleStrings,
  storyStrings,
  workStrings,
  catalogueStrings,
  systemStrings,
});

export const strings = Object.freeze(Object.assign({}, ...Object.values(tables)));
