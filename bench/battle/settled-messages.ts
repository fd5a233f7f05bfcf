import { connect, DeliverPolicy } from "nats";
import { adminOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import type { EventMessage } from "../../services/contracts.ts";
import { eventStream } from "../../services/streams.ts";
import type { SettledMessage } from "./score-lags.ts";

const subject = "event.gift.settled";

/** The messages of `gift.settled` that JetStream has stored since then, in their order, with their timestamps. */
export async function settledSince(since: Date): Promise<SettledMessage[]> {
  const connection = await connect(adminOptions("bench-events"));
  try {
    const stream = natsPrefix() + eventStream.name;
    const consumer = await connection.jetstream().consumers.get(stream, {
      filterSubjects: natsPrefix() + subject,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: since.toISOString(),
    });
    const messages: SettledMessage[] = [];
    let left = (await consumer.info()).num_pending;
    for (; left > 0; left = left - 1) {
      const message = await consumer.next({ expires: 5_000 });
      if (!message) throw new Error(`${left} messages of ${subject} do not come`);
      const { data } = message.json<EventMessage<"gift.settled">>();
      const coins = new Map<string, number>();
      for (const { status, receiverId, count, price } of data.gifts)
        if (status === "succeeded") coins.set(receiverId, (coins.get(receiverId) ?? 0) + count * price);
      messages.push({ at: Math.floor(message.info.timestampNanos / 1e6), coins });
    }
    return messages;
  } finally {
    await connection.close();
  }
}
