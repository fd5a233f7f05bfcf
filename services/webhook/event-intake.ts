import type { Service } from "moleculer";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { ChannelDefinition } from "../../mixins/jetstream.mixin.ts";
import { call } from "../contracts.ts";
import { onEvent } from "../durable-event.ts";
import { settledSince } from "../settled-gifts.ts";
import { eventStream } from "../streams.ts";
import type { Intake } from "./intake.ts";

type Receiving = Service & { intake: Intake };

/** What the books tell again. */
const settled = onEvent<"gift.settled", Receiving>(
  "gift.settled",
  async function ({ data }) {
    await this.intake.takeSettled(data.gifts);
  },
  { fromBooks: settledSince(({ broker }, next) => call(broker, "gift.settledSince", next)) },
);

/**
 * The consumer of stream EVENTS. One node at a time takes the events in, in the order of the stream: a batch that meets an
 * outage holds up the next ones. Of the events that EVENTS dropped before they were read, the books tell the gifts again
 * alone.
 */
export const allEvents: Omit<ChannelDefinition<Receiving>, "durable"> = {
  stream: eventStream,
  exclusive: true,
  raw: true,
  batch: limits.webhook.eventsPerBatch,
  batchesInFlight: 1,
  gather: { ms: limits.webhook.gatherMs },
  key: () => "",
  async handler(messages) {
    const { length } = `${natsPrefix()}event.`;
    await this.intake.take(
      messages.map(({ subject, data }) => ({ name: subject.slice(length), bytes: data as Uint8Array })),
    );
  },
  async missed(missed) {
    missed.log.error(
      { since: missed.since },
      "events were dropped before webhooks got them: gifts are taken from the books, the others are lost to webhooks",
    );
    await settled.missed?.call(this, missed);
  },
};
