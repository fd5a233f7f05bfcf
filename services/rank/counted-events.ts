import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { ChannelDefinition } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { onEvent } from "../durable-event.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import { settledSince } from "../settled-gifts.ts";
import type { GiftCounter, RecordedGift } from "./gift-counter.ts";
import { askForMissed } from "./job-requests.ts";
import type { Lag } from "./lag.ts";

type Ranks = Service & MysqlState & { counter: GiftCounter; lag: Lag };

interface SettledEvent {
  readonly gifts: SettledGift[];
  /** When it was published, ISO; "" where that is no text. */
  readonly time: string;
}

/**
 * Counts gifts. Those of an event of an earlier release have no record ids: they are counted by a rebuild from their
 * time on.
 */
async function countGifts({ counter, mysql, logger }: Ranks, gifts: readonly SettledGift[]): Promise<void> {
  const recorded = gifts.filter((gift): gift is RecordedGift => gift.recordId !== undefined);
  if (recorded.length > 0) await counter.count(recorded);
  if (recorded.length === gifts.length) return;
  const times = gifts.filter(({ recordId }) => recordId === undefined).map(({ time }) => Date.parse(time) || 0);
  const since = new Date(Math.min(...times) - limits.jetstream.clockMarginMs);
  await askForMissed(mysql, since);
  logger.info({ gifts: times.length, since }, "gifts without record ids are counted by a rebuild");
}

/** One event; also what the books tell again. */
const each = onEvent<"gift.settled", Ranks>(
  "gift.settled",
  async function ({ data }) {
    await countGifts(this, data.gifts);
  },
  { fromBooks: settledSince(({ broker }, next) => call(broker, "gift.settledSince", next)) },
);

/**
 * The consumer of `gift.settled`: the events of a quarter of a second, of half a second under load, are one batch, which
 * is durable when they are acked.
 * All rank nodes share it.
 */
export const countedEvents: Omit<ChannelDefinition<Ranks>, "durable"> = {
  ...each,
  batch: limits.rank.eventsPerBatch,
  gather: limits.rank.gather,
  parse(received): SettledEvent {
    const { gifts } = (each.parse as (received: unknown) => unknown)(received) as Pick<SettledEvent, "gifts">;
    const { time } = received as { time?: unknown };
    return { gifts, time: typeof time === "string" ? time : "" };
  },
  async handler(messages) {
    const events = messages.map(({ data }) => data as SettledEvent);
    this.lag.begin(events.map(({ time }) => time));
    const gifts = events.flatMap((event) => event.gifts);
    try {
      await countGifts(this, gifts);
    } catch (error) {
      if (error instanceof RangeError) this.lag.leave();
      throw error;
    }
    this.lag.done();
  },
};
