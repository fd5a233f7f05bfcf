import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { databaseName } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { Database } from "../mixins/mysql/database.ts";
import { insertShare, listShares } from "../services/gift/share-store.ts";
import { userIdPattern } from "../services/user-id-pattern.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { readStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";

const USAGE = `The anchors' own shares of gifts; without one an anchor has ANCHOR_SHARE_PERCENT.

  npm run anchor-share -- list [ANCHOR]                         what is written, and what of it is in force
  npm run anchor-share -- set ANCHOR PERCENT [--from DATE]      a share of the anchor's own from then on
  npm run anchor-share -- remove ANCHOR [--from DATE]           the default again from then on

ANCHOR is a user id, PERCENT a whole number from 0 to 100. DATE is a day (YYYY-MM-DD, from its beginning in Beijing) or a
time with its zone (2026-11-23T08:00:00+08:00), and not over; without it the change is in force within a second. A gift
keeps the share that it was accepted with. Nothing is ever taken out: of several rows from the same time the last counts.
--by NAME says who does it (else the account of this machine). The URL of MySQL comes from the environment, or else from
.stack/env.`;

/** What was typed is not understood: said with the usage's first lines, nothing was written. */
const wrong = (what: string) => new Error(`${what}\n\n${USAGE}`);

function anchorOf(text: string | undefined): string {
  if (text === undefined || !userIdPattern.test(text)) throw wrong(`an anchor is a user id, not "${text ?? ""}"`);
  return text;
}

function percentOf(text: string | undefined): number {
  if (!/^(\d|[1-9]\d|100)$/.test(text ?? ""))
    throw wrong(`a share is a whole percent from 0 to 100, not "${text ?? ""}"`);
  return Number(text);
}

/** A day of Beijing's, or a time with its zone. */
function timeOf(text: string): Date {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = new Date(day ? `${text}T00:00:00+08:00` : text);
  // The engine takes 30 February for 2 March.
  const real = !Number.isNaN(at.getTime()) && dayExists(text.slice(0, 10));
  if ((!day && !time) || !real) throw wrong(`--from is a day or a time with its zone, not "${text}"`);
  return at;
}

function dayExists(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

function account(): string {
  try {
    return userInfo().username;
  } catch {
    // The account that runs this has no name on this machine, as in a container.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

async function show(db: Database, anchorId: string | undefined): Promise<void> {
  const max = limits.gift.shareRowsShown;
  const rows = await listShares(db, anchorId, max + 1);
  for (const { anchorId: anchor, percent, from, operator, written, inForce } of rows.slice(0, max)) {
    const share = percent === null ? "default" : `${percent} %`;
    const by = `by ${operator}, ${written.toISOString()}`;
    console.log(
      `${anchor.padEnd(20)} ${share.padEnd(8)} from ${from.toISOString()}${inForce ? "  in force" : ""}  ${by}`,
    );
  }
  if (rows.length === 0)
    console.log(anchorId === undefined ? "no anchor has a share of her own" : `${anchorId} has the default`);
  if (rows.length > max) console.log(`(there are more: name an anchor)`);
}

interface Change {
  readonly anchorId: string;
  readonly percent: number | null;
  readonly from: Date | undefined;
  readonly operator: string;
}

async function write(db: Database, change: Change): Promise<void> {
  const { anchorId, percent, from } = change;
  const [row] = await db.query<{ now: Date }>("SELECT UTC_TIMESTAMP(3) AS now");
  if (from && from < (row as { now: Date }).now)
    throw wrong(`${from.toISOString()} is over: gifts that were accepted keep their share`);
  await insertShare(db, change);
  const share = percent === null ? "the default share" : `${percent} %`;
  console.log(`${anchorId} has ${share} from ${from ? from.toISOString() : "now"} on; written for her:`);
  await show(db, anchorId);
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    options: { from: { type: "string" }, by: { type: "string" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  const [command, anchor, percent, ...rest] = positionals;
  if (values.help || command === undefined) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const operator = values.by ?? account();
  if (!/^[^\p{C}]{1,100}$/u.test(operator))
    throw wrong("--by has 1 to 100 characters, none of them a control character");
  const from = values.from === undefined ? undefined : timeOf(values.from);
  const plan = planOf(command, anchor, percent, rest);
  if (plan.what === "list" && from) throw wrong("list takes no --from");
  for (const [key, value] of Object.entries(readStackEnv(defaultStackDir()))) process.env[key] ??= value;
  const db = new Database(databaseName("gift"), { connections: 1 });
  try {
    if (plan.what === "list") await show(db, plan.anchorId);
    else await write(db, { anchorId: plan.anchorId, percent: plan.percent, from, operator });
    return 0;
  } finally {
    await db.close();
  }
}

type Plan =
  | { what: "list"; anchorId: string | undefined }
  | { what: "write"; anchorId: string; percent: number | null };

function planOf(command: string, anchor: string | undefined, percent: string | undefined, rest: string[]): Plan {
  if (rest.length > 0 || (percent !== undefined && command !== "set")) throw wrong("that is a word too many");
  if (command === "list") return { what: "list", anchorId: anchor === undefined ? undefined : anchorOf(anchor) };
  if (command === "set") return { what: "write", anchorId: anchorOf(anchor), percent: percentOf(percent) };
  if (command === "remove") return { what: "write", anchorId: anchorOf(anchor), percent: null };
  throw wrong(`not understood: ${command}`);
}

runCommand(main);
