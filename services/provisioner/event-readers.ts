import type { JetStreamManager } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { findConsumer } from "../../mixins/jetstream/consumers.ts";
import { streamNames } from "../../mixins/jetstream/definitions.ts";
import type { Provisioner } from "../../mixins/jetstream/provisioner.ts";
import { findStream, identityOf } from "../../mixins/jetstream/streams.ts";
import { eventReaders, eventStream } from "../streams.ts";

/**
 * Makes the first `count` consumers of other systems on stream EVENTS wherever one is missing, at the oldest event,
 * until the loop is stopped. Several nodes may do it at once.
 */
export function keepEventReaders(
  manager: JetStreamManager,
  provisioner: Provisioner,
  count: number,
  log: Log,
): BackgroundLoop {
  return new BackgroundLoop({
    name: "consumers of other systems",
    idleMs: limits.jetstream.lookRarelyMs,
    errorBackoffMs: limits.jetstream.lookRarelyMs,
    log,
    round: async () => {
      for (const stream of streamNames(eventStream))
        for (const durable of eventReaders.slice(0, count)) {
          const info = await findStream(manager, stream);
          if (!info || (await findConsumer(manager, stream, durable))) continue;
          const request = { consumer: { durable, stream }, name: durable, stream: identityOf(info) };
          await provisioner.makeConsumer({ ...request, start: "first" });
          log.info({ stream, consumer: durable }, "a consumer for another system is made");
        }
      return false;
    },
  });
}
