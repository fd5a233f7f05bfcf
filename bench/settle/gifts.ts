import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { connect } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { ensureStreams } from "../../mixins/jetstream/streams.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../services/gift/accepted-gift.ts";
import { giftStream } from "../../services/streams.ts";
import { anchorId, senderId } from "../support/seed.ts";

export const rooms = 1_000;

/** The burst: gift n is sender n's, in room n modulo 1000. */
export function giftOf(n: number): AcceptedGift {
  const room = n % rooms;
  const request = { giftId: 22, roomId: room + 1, receiverId: anchorId(room), type: 0, count: 1 };
  return {
    ...request,
    orderId: randomUUID(),
    senderId: senderId(n),
    price: 90,
    url: "../svga/angel.svga",
    contentHash: contentHashOf(request),
    acceptedAt: new Date().toISOString(),
  };
}

/** Puts the gifts into JetStream as gift.send does, many acks awaited at a time. */
export async function publishGifts(count: number, progress: (line: string) => void): Promise<void> {
  const connection = await connect(natsOptions("bench"));
  await ensureStreams(await connection.jetstreamManager(), [giftStream]);
  const client = connection.jetstream();
  const encoder = new TextEncoder();
  const window = 2_000;
  for (let done = 0; done < count; done += window) {
    const size = Math.min(window, count - done);
    await Promise.all(
      Array.from({ length: size }, (_, i) => {
        const gift = giftOf(done + i);
        const subject = `${natsPrefix()}gift.send.${partitionOf(gift.senderId)}`;
        return client.publish(subject, encoder.encode(JSON.stringify(gift)), { msgID: gift.orderId, timeout: 20_000 });
      }),
    );
    if ((done / window) % 10 === 9) progress(`accepted: ${done + size} of ${count}`);
  }
  await connection.close();
}

/** Resolves once every gift in the queue is settled and acked; tells how far it is. */
export async function untilSettled(
  broker: ServiceBroker,
  count: number,
  progress: (line: string) => void,
): Promise<void> {
  let said = Date.now();
  for (;;) {
    const { waiting, inFlight } = (await broker.call("gift.queueDepth")) as { waiting: number; inFlight: number };
    if (waiting + inFlight === 0) return;
    if (Date.now() - said > 1_000) {
      said = Date.now();
      progress(`settled: ${count - waiting - inFlight} of ${count}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
