import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { ArchivedTable } from "../../../mixins/archive/archived-table.ts";
import { Months } from "../../../mixins/archive/months.ts";
import { Mover, type Step } from "../../../mixins/archive/mover.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { checksOf, runCheck } from "../../../services/auditor/comparison.ts";
import type { Difference } from "../../../services/auditor/differences.ts";
import type { FurtherBooks } from "../../../services/auditor/further-books.ts";
import { allBookKeys } from "../../../services/book-keys.ts";

/** Books whose rows are moved into archives, step by step, and compared as the auditor and `npm run verify` do. */

/** A mover for which every month is over, of small segments and slices. */
export class TestMover {
  private readonly mysql: Database;
  private readonly mover: Mover;

  constructor(table: ArchivedTable, over: { segmentRows: number; sliceRows: number }, url?: string) {
    const at = url ?? (process.env.MYSQL_URL as string);
    this.mysql = new Database(databaseName(table.service), { url: at, connections: 1 });
    this.mover = new Mover({
      ...{ mysql: this.mysql, url: at, table, months: new Months("UTC") },
      ...{ keys: allBookKeys().archiver, afterDays: -400, settleMs: 0, obstacle: () => undefined, ...over },
    });
  }

  step(): Promise<Step> {
    return this.mover.step();
  }

  /** Steps until one has done this; `undefined`: until nothing is due. Returns what the last step did. */
  async until(did?: Step["did"], each: (did: Step["did"]) => Promise<void> = async () => {}): Promise<Step["did"]> {
    for (;;) {
      const step = await this.mover.step();
      await each(step.did);
      if (step.did === did || step.did === "nothing") return step.did;
    }
  }

  close(): Promise<void> {
    return this.mysql.close();
  }
}

export interface Comparing {
  readonly books: Database;
  readonly own: Database;
  readonly further?: readonly FurtherBooks[];
}

/** What a full comparison finds: as `npm run verify` with `everyRow`, otherwise as a pass of the auditor. */
export async function compared({ books, own, further = [] }: Comparing, everyRow: boolean): Promise<Difference[]> {
  const found: Difference[] = [];
  const ports = {
    ...{ secondLookMs: 1, isKnown: () => false, pageDone: async () => {} },
    found: async (differences: readonly Difference[]) => found.push(...differences) > 0,
  };
  const options = { books, further, own: { seen: own, audit: own }, keys: allBookKeys(), everyRow, underWayMs: 1 };
  const checks = checksOf(options);
  for (const check of checks) if (check.passes) await runCheck(check, null, ports);
  return found;
}

const dayMs = 24 * 3_600_000;

/** Runs a comparison as at noon of a coming day when this part of what is old is read. */
export async function onDay<T>(part: number, work: () => Promise<T>): Promise<T> {
  const now = Date.now.bind(Date);
  const real = now();
  const tomorrow = Math.floor(real / dayMs) + 1;
  const days = limits.books.closedRowsDays;
  const noon = (tomorrow + ((part - (tomorrow % days) + days) % days) + 0.5) * dayMs;
  const clock = jest.spyOn(Date, "now").mockImplementation(() => noon + now() - real);
  try {
    return await work();
  } finally {
    clock.mockRestore();
  }
}
