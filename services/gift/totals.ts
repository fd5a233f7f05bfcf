import { serviceUrl } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Database } from "../../mixins/mysql/database.ts";
import type { SideTotals } from "./gift.contract.ts";
import type { RecordServer } from "./record-server.ts";
import { totalsOfSides } from "./totals-store.ts";

type Answer = Awaited<ReturnType<typeof totalsOfSides>>;

/**
 * Answers `gift.totals` by connections of their own, a few: readings of many records, however many are asked for, take
 * no connection from the settler. Sums, which results wait for, do not queue behind top senders, which are only shown.
 */
export class Totals {
  private readonly sums: Database[];
  private readonly tops: Database[];

  /** The servers with records; without a URL that of the service. */
  constructor(database: string, servers: readonly Pick<RecordServer, "url" | "presence">[]) {
    const open = ({ url = serviceUrl("MYSQL_URL", "gift"), presence }: Pick<RecordServer, "url" | "presence">) =>
      new Database(database, { url, connections: limits.gift.totalsConnections, ...(presence && { presence }) });
    this.sums = servers.map(open);
    this.tops = servers.map(open);
  }

  /** See `gift.totals`. */
  async of(wanted: Parameters<typeof totalsOfSides>[1]): Promise<Answer> {
    const databases = wanted.topSenders ? this.tops : this.sums;
    return joined(await Promise.all(databases.map((db) => totalsOfSides(db, wanted))));
  }

  async close(): Promise<void> {
    await Promise.all([...this.sums, ...this.tops].map((db) => db.close()));
  }
}

/**
 * The totals of several servers together. A sender whose bucket moved meanwhile has gifts on two: her sum has those of
 * servers where she is among the first.
 */
function joined(answers: readonly Answer[]): Answer {
  const [first, ...others] = answers as [Answer, ...Answer[]];
  return others.length === 0
    ? first
    : {
        sides: first.sides.map((_side, at) => joinedSide(answers.map(({ sides }) => sides[at] as SideTotals))),
        leftOut: answers.flatMap(({ leftOut }) => leftOut),
      };
}

/** @throws RangeError where a sum is no safe integer */
function joinedSide(parts: readonly SideTotals[]): SideTotals {
  const score = safe(parts.reduce((sum, part) => sum + part.score, 0));
  const gifts = safe(parts.reduce((sum, part) => sum + part.gifts, 0));
  const coins = new Map<string, number>();
  for (const one of parts.flatMap(({ topSenders }) => topSenders))
    coins.set(one.userId, safe((coins.get(one.userId) ?? 0) + one.coins));
  const senders = [...coins].map(([userId, sum]) => ({ userId, coins: sum }));
  senders.sort((a, b) => b.coins - a.coins || (BigInt(a.userId) < BigInt(b.userId) ? -1 : 1));
  return { score, gifts, topSenders: senders.slice(0, limits.battle.topSenders) };
}

function safe(sum: number): number {
  if (!Number.isSafeInteger(sum)) throw new RangeError("the totals of several servers are no safe integer");
  return sum;
}
