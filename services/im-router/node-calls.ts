import type { ServiceBroker } from "moleculer";
import type { Log } from "../../broker/log.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { ParamsOf } from "../contracts.ts";
import { call } from "../contracts.ts";

type Frame = ParamsOf<"im-server.deliver">["frames"][number];

/** Node id → the frames for it, in their order. */
export type FramesByNode = Map<string, Frame[]>;

export function appendTo(byNode: FramesByNode, nodeId: string, frame: Frame): void {
  const frames = byNode.get(nodeId);
  if (frames) frames.push(frame);
  else byNode.set(nodeId, [frame]);
}

/** For a call to a node that may be dead: a stop of this process does not wait for it. */
const mayBeDead = { timeout: limits.im.deliverTimeoutMs, tracking: false } as const;

/** The im-server nodes, and the calls to them. */
export class NodeCalls {
  private readonly broker: ServiceBroker;
  private readonly log: Log;
  /** Nodes that did not answer the last call: frames are still sent there, but no caller waits for the answer. */
  private readonly unresponsive = new Set<string>();

  constructor(broker: ServiceBroker, log: Log) {
    this.broker = broker;
    this.log = log;
  }

  /** The ids of the live im-server nodes. */
  async live(): Promise<string[]> {
    const query = { onlyAvailable: true, skipInternal: true, grouping: true };
    const services = (await this.broker.call("$node.services", query)) as { name: string; nodes: string[] }[];
    return services.filter(({ name }) => name === "im-server").flatMap(({ nodes }) => nodes);
  }

  /**
   * Sends frames to nodes, those of a node in their order. Never rejects: the members of a node that does not answer
   * connect to another node and catch up there.
   */
  async deliver(framesByNode: FramesByNode): Promise<void> {
    const handed = [...framesByNode].flatMap(([nodeId, frames]) =>
      this.calls(nodeId, frames).map((part) => {
        const wait = !this.unresponsive.has(nodeId);
        const delivered = this.deliverTo(nodeId, part);
        return wait ? delivered : undefined;
      }),
    );
    await Promise.all(handed);
  }

  private calls(nodeID: string, frames: readonly Frame[]): Frame[][] {
    const { deliverFrames: count, deliverBytes: bytes } = limits.im;
    return cutList(frames, { count, bytes }, ({ frame }, size) =>
      this.log.error({ nodeID, bytes: size, frame: frame.slice(0, 200) }, "a frame is too large for a call: not sent"),
    );
  }

  private async deliverTo(nodeID: string, frames: Frame[]): Promise<void> {
    try {
      await call(this.broker, "im-server.deliver", { frames }, { nodeID, ...mayBeDead });
      if (this.unresponsive.delete(nodeID)) this.log.info({ nodeID }, "the im-server node answers again");
    } catch (error) {
      if (!this.unresponsive.has(nodeID))
        this.log.warn(
          { nodeID, err: error },
          "an im-server node did not answer: frames are sent to it without waiting",
        );
      // Node ids are never reused, so those of dead nodes are removed now and then.
      if (this.unresponsive.size > 1_000) this.unresponsive.clear();
      this.unresponsive.add(nodeID);
    }
  }

  /** Closes the connections of a room, on every node. */
  async emptyRoom(roomId: number): Promise<void> {
    const emptied = (await this.live()).map((nodeID) =>
      call(this.broker, "im-server.emptyRoom", { roomId }, { nodeID, ...mayBeDead }).catch((error: Error) => {
        this.log.warn(
          { roomId, nodeID, err: error },
          "a node did not empty a closed room: its members stay until they leave",
        );
      }),
    );
    await Promise.all(emptied);
  }
}
