import { parseArgs } from "node:util";
import { printError } from "../broker/outputs.ts";
import { databaseName, serviceUrl } from "../config/config.ts";
import { limits } from "../config/limits.ts";
import { Database, type Queryable } from "../mixins/mysql/database.ts";
import { checksOf, type RunPorts, runCheck } from "../services/auditor/comparison.ts";
import { type Difference, differenceKinds } from "../services/auditor/differences.ts";
import { openBooks, openFurtherBooks, requireAllBooks } from "../services/auditor/further-books.ts";
import { allBookKeys } from "../services/book-keys.ts";
import { useNodeEnv } from "./local-env.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { table } from "./repl/table.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

/** The most differences that are printed, and held until then. */
const shownMost = 1_000;

const USAGE = `Compares the books: seals, balances, gifts, credits, refunds, incomes, holds. It changes nothing.

  npm run verify -- [--since DATE] [--json]

  --since DATE   only rows from this day on (UTC, YYYY-MM-DD or an ISO time), and accounts that changed since
  --json         one JSON object on standard output; \`count\` says how many differences there are

The first ${shownMost.toLocaleString("en")} differences are named.

It needs the keys of BOOK_KEYS of all services, and the login of the auditor. Progress goes to standard error. What is under way between two services
for less than ${limits.books.underWayMs / 60_000} minutes is no difference.
Exit code 0: the books are equal; 2: something differs; 1: they could not be compared.`;

const progressEveryMs = 2_000;

/** What differs: all of it is counted, and so much of it held. */
class Found {
  /** The first ones. */
  readonly shown: Difference[] = [];
  readonly kinds = new Set<Difference["kind"]>();
  count = 0;

  add(differences: readonly Difference[]): void {
    for (const one of differences) this.kinds.add(one.kind);
    this.shown.push(...differences.slice(0, shownMost - this.shown.length));
    this.count += differences.length;
  }
}

interface Compared {
  readonly check: string;
  readonly rows: number;
  readonly differences: number;
}

/** @throws Error where it is no date, or not in the past */
function timeOf(text: string): Date {
  const time = new Date(text);
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(time.getTime());
  if (!isDate || time.getTime() > Date.now()) throw new Error(`not a day in the past: --since ${text}\n\n${USAGE}`);
  return time;
}

/** The auditor's own database, `null` where it cannot be read: then what the auditor has seen is not compared. */
async function openOwn(): Promise<Database | null> {
  const own = new Database(databaseName("auditor"), { url: serviceUrl("MYSQL_URL", "auditor"), connections: 1 });
  try {
    await own.query("SELECT writer FROM t_book_head LIMIT 1");
    return own;
  } catch (error) {
    printError(`not compared with what the auditor has seen: ${messageOf(error)}\n`);
    await own.close();
    return null;
  }
}

/** Shows how far a check is, every two seconds. */
function progressPorts(collect: (differences: readonly Difference[]) => void): RunPorts {
  let [name, rows, shownAt] = ["", 0, performance.now()];
  return {
    secondLookMs: limits.books.secondLookMs,
    isKnown: () => false,
    async found(differences) {
      collect(differences);
      return true;
    },
    async pageDone(check, page) {
      rows = check.name === name ? rows + page.rows : page.rows;
      name = check.name;
      if (performance.now() - shownAt < progressEveryMs) return;
      shownAt = performance.now();
      printError(`${name}: ${rows.toLocaleString("en")} rows ...\n`);
    },
  };
}

async function compare(since: Date | null, found: Found): Promise<Compared[]> {
  const keys = allBookKeys();
  const books = openBooks(2);
  const further = openFurtherBooks(2);
  const own = await openOwn();
  try {
    await requireAllBooks(books);
    const { underWayMs } = limits.books;
    const compared: Compared[] = [];
    const ports = progressPorts((differences) => found.add(differences));
    for (const check of checksOf({
      books,
      further,
      own: own && { seen: readOnly(own), audit: own },
      keys,
      everyRow: true,
      underWayMs,
    })) {
      if (since === null && !check.passes) continue;
      const result = await runCheck(check, since, ports);
      if (!result) continue;
      const { rows, differences } = result;
      printError(`${check.name}: ${rows.toLocaleString("en")} rows, ${differences} differences\n`);
      compared.push({ check: check.name, rows, differences });
    }
    return compared;
  } finally {
    await Promise.all([books.close(), own?.close(), ...further.map((one) => one.books.close())]);
  }
}

/** What a command has read is not noted as seen by the auditor. */
function readOnly(own: Database): Queryable {
  return { query: (sql, values) => own.query(sql, values), run: async () => ({ affectedRows: 0 }) as never };
}

function show(compared: readonly Compared[], { shown, kinds, count }: Found): void {
  const lines = compared.map(({ check, rows, differences }) => [check, rows, differences]);
  console.log(table(["compared", "rows", "differences"], lines));
  if (count === 0) {
    console.log("\nThe books are equal.");
    return;
  }
  console.log(`\nTHE BOOKS DIFFER in ${count} places:\n`);
  for (const { kind, subject, detail } of shown) console.log(`${kind}  ${subject}\n    ${detail}`);
  if (count > shown.length) console.log(`... and ${count - shown.length} more`);
  console.log();
  for (const kind of kinds) console.log(`${kind}: ${differenceKinds[kind][0]}. ${differenceKinds[kind][1]}.`);
}

async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({
    options: { since: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const since = values.since === undefined ? null : timeOf(values.since);
  await useNodeEnv(["auditor"], defaultStackDir());
  const found = new Found();
  const compared = await compare(since, found);
  const equal = found.count === 0;
  if (values.json) {
    const { shown: differences, count } = found;
    console.log(JSON.stringify({ equal, since: since?.toISOString() ?? null, compared, count, differences }));
  } else show(compared, found);
  return equal ? 0 : 2;
}

runCommand(main);
