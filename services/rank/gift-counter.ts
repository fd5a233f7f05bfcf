import { limits } from "../../config/limits.ts";
import type { Database, Transaction } from "../../mixins/mysql/database.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import { type CountedGift, countedGift, Totals } from "./boards.ts";
import { chunkOf } from "./counted-ids.ts";
import { lockChunks, writeChunk } from "./counted-store.ts";
import type { DatabaseClock } from "./database-clock.ts";
import { Calendar } from "./periods.ts";
import { noteRooms } from "./rooms-store.ts";
import { holdState } from "./state-store.ts";
import { addTotals } from "./totals-store.ts";

export type RecordedGift = SettledGift & { readonly recordId: string };

interface Parts {
  readonly mysql: Pick<Database, "transaction">;
  readonly clock: Pick<DatabaseClock, "now">;
}

/**
 * Counts gifts on their boards, each once: its record id is marked as counted in the transaction that adds its coins. So
 * a repeat, a rebuild and another node add nothing, whatever crashes in between.
 */
export class GiftCounter {
  private readonly parts: Parts;
  private readonly calendars = new Map<string, Calendar>();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Durable when it returns; how many were not counted until now. Failed gifts are marked too, and add nothing. Fails:
   * unavailable; then it may have happened, and may be repeated. @throws RangeError that names the board, where a gift
   * would make a sum that is no safe integer; that gift is not counted, the others are
   */
  async count(gifts: readonly RecordedGift[]): Promise<number> {
    let counted = 0;
    let refused: RangeError | undefined;
    const waiting = [...this.portions(gifts)];
    for (let some = waiting.shift(); some; some = waiting.shift())
      try {
        counted += await this.countSome(some);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const half = Math.ceil(some.length / 2);
        if (some.length > 1) waiting.unshift(some.slice(0, half), some.slice(half));
        else refused ??= error;
      }
    if (refused) throw refused;
    return counted;
  }

  /** A calendar is kept for the zone of the state, and reads a time once in a quarter of an hour. */
  calendarOf(zone: string): Calendar {
    const known = this.calendars.get(zone);
    if (known) return known;
    const calendar = new Calendar(zone);
    this.calendars.set(zone, calendar);
    return calendar;
  }

  /** What one transaction counts: a bounded number of gifts, in a bounded number of chunks, which it locks. */
  private *portions(gifts: readonly RecordedGift[]): Generator<RecordedGift[]> {
    const { chunksPerBatch, giftsPerTransaction } = limits.rank;
    let portion: RecordedGift[] = [];
    let chunks = 0;
    for (const chunk of chunksOf(gifts).values()) {
      chunks++;
      for (const gift of chunk) {
        if (portion.length === giftsPerTransaction || chunks > chunksPerBatch) {
          yield portion;
          portion = [];
          chunks = 1;
        }
        portion.push(gift);
      }
    }
    if (portion.length > 0) yield portion;
  }

  private async countSome(gifts: readonly RecordedGift[]): Promise<number> {
    const nowMs = await this.parts.clock.now();
    return this.parts.mysql.transaction(async (tx) => {
      const { generation, zone } = await holdState(tx);
      const added = await markCounted(tx, generation, chunksOf(gifts));
      const shown = added.filter(({ status }) => status === "succeeded").map(countedGift);
      if (shown.length === 0) return added.length;
      const totals = new Totals(this.calendarOf(zone), nowMs);
      for (const gift of shown) totals.add(gift);
      // First the rooms: their boards are removed in that order too.
      await noteRooms(tx, latestByRoom(shown));
      await addTotals(tx, generation, totals.sorted());
      return added.length;
    });
  }
}

/** The gifts by the chunk of their record ids, ascending. */
function chunksOf(gifts: readonly RecordedGift[]): Map<number, RecordedGift[]> {
  const chunks = Map.groupBy(gifts, ({ recordId }) => chunkOf(Number(recordId)));
  return new Map([...chunks].sort(([one], [other]) => one - other));
}

/** Marks the gifts as counted, and returns those that were not. */
async function markCounted(
  tx: Transaction,
  generation: number,
  chunks: ReadonlyMap<number, readonly RecordedGift[]>,
): Promise<RecordedGift[]> {
  const counted = await lockChunks(tx, generation, [...chunks.keys()]);
  const added: RecordedGift[] = [];
  for (const [chunk, gifts] of chunks) {
    const ids = counted.get(chunk);
    if (!ids) throw new Error(`chunk ${chunk} of the counted record ids is gone`);
    const own = gifts.filter(({ recordId }) => ids.add(Number(recordId)));
    if (own.length === 0) continue;
    await writeChunk(tx, generation, chunk, ids);
    added.push(...own);
  }
  return added;
}

function latestByRoom(gifts: readonly CountedGift[]): [number, number][] {
  const latest = new Map<number, number>();
  for (const { roomId, timeMs } of gifts) latest.set(roomId, Math.max(timeMs, latest.get(roomId) ?? 0));
  return [...latest].sort(([one], [other]) => one - other);
}
