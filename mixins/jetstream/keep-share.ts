import type { Service } from "moleculer";
import { isUnable } from "../../broker/able-nodes.ts";
import { nodesOffering, registryEvents } from "../../broker/service-nodes.ts";
import type { Channel } from "./channel.ts";
import { partitionsOf } from "./partitions.ts";

/**
 * Pulls this node's share of the partitions, all of a channel without any, and computes it again whenever nodes join or
 * leave. Nothing is pulled before the service is registered, since the other nodes do not leave it a share until then.
 * A node that cannot handle messages gives them, and its share, to others that can: what it holds would wait for as long
 * as it cannot. Where no other can, it keeps them and goes on at once when its servers are back. Returns its listener to
 * the registry.
 */
export function keepShare({ broker, name, logger }: Service, channel: Channel): () => void {
  let leaving: Promise<void> | undefined;
  let isLeft = false;
  const leave = async () => {
    isLeft = true;
    await channel.leave().catch((error) => logger.error({ err: error }, "a channel could not be left"));
    leaving = undefined;
    // Not after the service has stopped, which takes the listener away.
    if (broker.localBus.listeners(registryEvents[0]).includes(take)) take();
  };
  const take = () => {
    const nodes = nodesOffering(broker, name);
    const isUnableHere = isUnable(broker.metadata, name);
    if (isUnableHere && !isLeft && !nodes.includes(broker.nodeID)) leaving ??= leave();
    // Once it has left it comes back when it can: a node that is cut off hears no others after a while.
    if (leaving || (isUnableHere && isLeft) || !nodes.includes(broker.nodeID)) return;
    isLeft = false;
    const share = channel.partitions > 0 ? partitionsOf(broker.nodeID, nodes, channel.partitions) : [0];
    channel.pull(share).catch((error) => logger.error({ err: error }, "partitions could not be changed"));
  };
  for (const event of registryEvents) broker.localBus.on(event, take);
  take();
  return take;
}
