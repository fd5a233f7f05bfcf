import type { ServiceBroker } from "moleculer";
import type { Channel } from "../../mixins/jetstream/channel.ts";
import { eventually } from "./eventually.ts";

/** The consumers that a channel is to pull, and those that it pulls. */
interface Pulling {
  readonly partitions: number;
  readonly wanted: ReadonlySet<string>;
  readonly pullers: ReadonlyMap<string, unknown>;
}

function partitionedChannel(node: ServiceBroker, service: string): Pulling {
  const { jetstreamChannels: channels } = node.getLocalService(service) as unknown as { jetstreamChannels: Channel[] };
  return channels.find(({ partitions }) => partitions > 0) as unknown as Pulling;
}

/**
 * Waits until each of these nodes, which are all of the service, pulls its share of the partitions and no other. While a
 * partition changes hands, what the former node holds of it is handled first: a test that holds back a gift of such a
 * partition would keep the later ones waiting.
 */
export async function partitionsShared(service: string, nodes: readonly ServiceBroker[]): Promise<void> {
  await eventually(`each node of ${service} pulls its share`, () => {
    const channels = nodes.map((node) => partitionedChannel(node, service));
    const wanted = channels.reduce((sum, channel) => sum + channel.wanted.size, 0);
    const isAsWanted = ({ wanted, pullers }: Pulling) =>
      pullers.size === wanted.size && [...wanted].every((durable) => pullers.has(durable));
    return wanted === channels[0]?.partitions && channels.every(isAsWanted);
  });
}
