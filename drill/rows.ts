import type { DrillRow } from "./faults/fault.ts";
import { nodeRows } from "./faults/nodes.ts";
import { serverRows } from "./faults/servers.ts";
import { storeRows } from "./faults/stores.ts";
import type { DrillOptions } from "./options.ts";
import { placesOf } from "./system/places.ts";

/** It is no fault under load, but has steps of its own. */
export const restoreRow = "restore";

/** All rows of a layout, in the order in which they run. */
export function allRows(layout: DrillOptions["layout"]): DrillRow[] {
  const none = { name: "none", title: "no fault", fault: async () => undefined };
  const restore = {
    name: restoreRow,
    title: "backup under load; MySQL lost on all machines; restored on empty servers, the streams kept",
    fault: async () => undefined,
  };
  return [none, ...nodeRows(placesOf(layout)), ...serverRows(), ...storeRows(), restore];
}

/** @throws Error that names what is no row's name, nor the beginning of one */
export function chosenRows({ names, short, layout }: Pick<DrillOptions, "names" | "short" | "layout">): DrillRow[] {
  const rows = allRows(layout);
  const matches = (wanted: string) => (row: DrillRow) => row.name === wanted || row.name.startsWith(`${wanted}-`);
  const unknown = names.filter((wanted) => !rows.some(matches(wanted)));
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(", ")} (npm run drill -- --list)`);
  if (names.length > 0) return rows.filter((row) => names.some((wanted) => matches(wanted)(row)));
  return short ? rows.filter(({ isShort }) => isShort) : rows;
}
