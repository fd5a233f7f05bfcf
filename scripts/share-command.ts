import { isUserId } from "../services/fields.ts";

/** The arguments of `npm run anchor-share`. */

export const shareUsage = `The anchors' own shares of gifts; without one an anchor has ANCHOR_SHARE_PERCENT.

  npm run anchor-share -- list [ANCHOR]                         what is written, and what of it is in force
  npm run anchor-share -- set ANCHOR PERCENT [--from DATE]      a share of the anchor's own from then on
  npm run anchor-share -- remove ANCHOR [--from DATE]           the default again from then on

ANCHOR is a user id, PERCENT a whole number from 0 to 100. DATE is a day (YYYY-MM-DD, from its beginning in Beijing) or a
time with its zone (2026-11-23T08:00:00+08:00), and not over; without it the change is in force within a second. A gift
keeps the share that it was accepted with. Rows are only added: of several from the same time the last one counts.
It joins as the console of --as NAME (npm run operator), or of the only person who has a login here; the name stands in the
rows and in the audit. Exit code 0: done; 1: it could not be done; 2: a row of the list is not signed by gift.`;

/** The error for invalid arguments: the problem and the usage. */
export const wrong = (what: string) => new Error(`${what}\n\n${shareUsage}`);

function anchorOf(text: string | undefined): string {
  if (text === undefined || !isUserId(text)) throw wrong(`an anchor is a user id, not "${text ?? ""}"`);
  return text;
}

function percentOf(text: string | undefined): number {
  if (!/^(\d|[1-9]\d|100)$/.test(text ?? ""))
    throw wrong(`a share is a whole percent from 0 to 100, not "${text ?? ""}"`);
  return Number(text);
}

/** A day in Beijing time, or a time with its zone. */
function timeOf(text: string): Date {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = new Date(day ? `${text}T00:00:00+08:00` : text);
  // The engine reads 30 February as 2 March.
  const real = !Number.isNaN(at.getTime()) && dayExists(text.slice(0, 10));
  if ((!day && !time) || !real) throw wrong(`--from is a day or a time with its zone, not "${text}"`);
  return at;
}

function dayExists(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

/** A change from the arguments. Without `from` it is in force at once; `percent` null returns to the default. */
export interface ShareChange {
  readonly anchorId: string;
  readonly percent: number | null;
  readonly from: Date | undefined;
}

type ShareCommand = { what: "list"; anchorId: string | undefined } | ({ what: "write" } & ShareChange);

/** @throws Error with the invalid argument, and the usage. */
export function shareCommand(args: readonly string[], fromText: string | undefined): ShareCommand {
  const [command, anchor, percent, ...rest] = args;
  if (rest.length > 0 || (percent !== undefined && command !== "set")) throw wrong("too many arguments");
  const from = fromText === undefined ? undefined : timeOf(fromText);
  if (command === "set") return { what: "write", anchorId: anchorOf(anchor), percent: percentOf(percent), from };
  if (command === "remove") return { what: "write", anchorId: anchorOf(anchor), percent: null, from };
  if (command !== "list") throw wrong(`not understood: ${command}`);
  if (from) throw wrong("list takes no --from");
  return { what: "list", anchorId: anchor === undefined ? undefined : anchorOf(anchor) };
}
