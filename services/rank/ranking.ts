import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { type UserNames, unnamed } from "../user-names.ts";
import { type Board, boardName, kinds } from "./boards.ts";
import type { DatabaseClock } from "./database-clock.ts";
import type { Calendar, Span } from "./periods.ts";
import { placeBy } from "./places.ts";
import type { Rank } from "./rank.contract.ts";
import { findState, type RankState } from "./state-store.ts";
import { fencesOf, findTotal, firstOf, type Sum } from "./totals-store.ts";

interface Parts {
  readonly mysql: Pick<Database, "query" | "run">;
  readonly clock: Pick<DatabaseClock, "now">;
  readonly names: Pick<UserNames, "of">;
  calendarOf(zone: string): Calendar;
}

/** What a list was read of. */
interface List {
  readonly generation: number;
  readonly sums: readonly Sum[];
}

/** Whose board of the current period. */
type Wanted =
  | { readonly roomId: number }
  | { readonly anchorId: string; readonly span: Span }
  | { readonly by: "anchors" | "senders"; readonly span: Span };

/** Answers lists from the index of the sums; a list is at most `limits.rank.listCacheMs` old. */
export class Ranking {
  private readonly parts: Parts;
  private readonly lists = new AnswerCache<string, List>({
    max: limits.rank.listsCached,
    ttlMs: limits.rank.listCacheMs,
  });
  private readonly fences = new AnswerCache<string, Sum[]>({
    max: limits.rank.fencesCached,
    ttlMs: limits.rank.listCacheMs,
  });
  private readonly states = new AnswerCache<"state", RankState>({ max: 1, ttlMs: limits.rank.listCacheMs });

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** The list of a board of the period that it is now, by the database's clock, and a user's place. Fails: unavailable. */
  async show(wanted: Wanted, userId: string): Promise<Rank> {
    const { mysql, names } = this.parts;
    const { generation, zone } = await this.states.get("state", () => this.state());
    const board = boardOf(wanted, this.parts.calendarOf(zone), await this.parts.clock.now());
    const { sums } = await this.lists.get(`${generation} ${boardName(board)}`, async () => ({
      generation,
      sums: await firstOf(mysql, generation, board),
    }));
    const [known, me] = await Promise.all([
      names.of(
        sums.map((sum) => sum.userId),
        pause(limits.rank.namePatienceMs, undefined, { ref: false }),
      ),
      this.placeOf(generation, board, sums, userId),
    ]);
    const list = sums.map((sum, at) => {
      const { nickName, avatar } = known.get(sum.userId) ?? unnamed;
      return { rank: at + 1, userId: sum.userId, nickName, avatar, coins: sum.coins };
    });
    return { list, me };
  }

  private async state(): Promise<RankState> {
    const state = await findState(this.parts.mysql);
    if (!state) throw new Error("t_rank_state has no row: it is written when a rank node starts");
    return state;
  }

  /** Of who is in the list, what the list says. */
  private async placeOf(
    generation: number,
    board: Board,
    sums: readonly Sum[],
    userId: string,
  ): Promise<{ rank: number | null; coins: number }> {
    const listed = sums.findIndex((sum) => sum.userId === userId);
    if (listed >= 0) return { rank: listed + 1, coins: (sums[listed] as Sum).coins };
    const own = await findTotal(this.parts.mysql, generation, board, userId);
    if (!own) return { rank: null, coins: 0 };
    const fences = await this.fences.get(`${generation} ${boardName(board)}`, () =>
      fencesOf(this.parts.mysql, generation, board),
    );
    return { rank: await placeBy(this.parts.mysql, generation, board, { fences, sum: own }), coins: own.coins };
  }
}

function boardOf(wanted: Wanted, calendar: Calendar, nowMs: number): Board {
  if ("roomId" in wanted) return { kind: kinds.room.all, period: 0, scope: String(wanted.roomId) };
  const { span } = wanted;
  const period = calendar.periodsOf(nowMs)[span];
  if ("anchorId" in wanted) return { kind: kinds.anchor[span], period, scope: wanted.anchorId };
  return { kind: kinds[wanted.by][span], period, scope: "0" };
}
