import { headers, type NatsConnection } from "nats";
import { natsPrefix } from "../../config/config.ts";
import type { DeadLetters } from "../../mixins/jetstream/dead-letters.ts";
import type { ChannelDefinition, ChannelMessage, StreamDefinition } from "../../mixins/jetstream.mixin.ts";
import { eventually } from "./eventually.ts";

/** Messages that a test makes dead letters of, and the reader that cannot read them until it is repaired. */

/** With names of the table, since only what its consumer reads is put back. */
export const parcels: StreamDefinition = { name: "PAY", subjects: ["pay.*"], kind: "queue" };

/** The state of the reader: while it is broken, what it reads is a dead letter; else it is among `handled`. */
export const parcelReader = { broken: true, handled: [] as ChannelMessage[] };

/** The reader, as a channel of a test's service. */
export const parcelChannel: ChannelDefinition = {
  stream: parcels,
  subject: "pay.recharge",
  durable: "wallet-recharge",
  batch: 10,
  batchesInFlight: 1,
  parse(data) {
    if (parcelReader.broken) throw new Error("the reader does not know this form");
    return data;
  },
  async handler(messages) {
    parcelReader.handled.push(...messages);
  },
};

/**
 * Publishes a parcel that no other one equals while the reader is broken, and repairs the reader. Resolves to the number
 * of the dead letter. The request id is `req-of-the-test`.
 */
export async function deadParcel(connection: NatsConnection, dead: DeadLetters, parcel: object): Promise<number> {
  parcelReader.broken = true;
  const head = headers();
  head.set("Request-Id", "req-of-the-test");
  const body = JSON.stringify(parcel);
  await connection.jetstream().publish(`${natsPrefix()}pay.recharge`, body, { headers: head, msgID: body });
  const sequence = await eventually("the dead letter", async () => {
    for await (const letter of dead.all()) if (Buffer.from(letter.data).toString() === body) return letter.sequence;
    return undefined;
  });
  parcelReader.broken = false;
  return sequence;
}
