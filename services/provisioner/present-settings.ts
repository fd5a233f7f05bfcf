import type { JetStreamManager } from "nats";
import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { isNameOf, partsOf } from "../../mixins/jetstream/definitions.ts";
import type { Provisioner } from "../../mixins/jetstream/provisioner.ts";
import { findStream } from "../../mixins/jetstream/streams.ts";
import { allStreams } from "../stream-access.ts";
import { everyConsumer } from "./provisioned.ts";

/**
 * Brings the existing streams and consumers of the system to their definitions. Missing ones are made when a service
 * asks for them, since the service knows whether they were there before. Returns what could not be changed, as
 * sentences: they work on with their former settings.
 */
export async function bringToSettings(
  manager: JetStreamManager,
  provisioner: Provisioner,
  log: Log,
): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (what: string, change: () => Promise<void>) => {
    await change().catch((error: unknown) => {
      log.error({ what, err: error }, "it keeps its former settings: the next start of a provisioner tries again");
      problems.push(`${what} keeps its former settings: ${messageOf(error)}`);
    });
  };
  for (const part of allStreams.flatMap(partsOf)) {
    const stream = natsPrefix() + part.name;
    if (!(await findStream(manager, stream))) continue;
    await attempt(`stream ${stream}`, () => provisioner.bringStreamToSettings(part, log));
    const durables = everyConsumer().filter((consumer) => consumer.stream === stream);
    if (durables.length === 0) continue;
    for await (const { name } of manager.consumers.list(stream))
      if (durables.some(({ durable }) => isNameOf(durable, name)))
        await attempt(`consumer ${name}`, () => provisioner.bringConsumerToSettings(stream, name));
  }
  return problems;
}
