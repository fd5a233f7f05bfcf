import type { Service, ServiceBroker } from "moleculer";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import type { ParamsOf } from "../contracts.ts";
import { call } from "../contracts.ts";

type Frame = ParamsOf<"im-server.deliver">["frames"][number];

/** Node id → what goes there, in its order. */
export type FramesByNode = Map<string, Frame[]>;

export function appendTo(byNode: FramesByNode, nodeId: string, frame: Frame): void {
  const frames = byNode.get(nodeId);
  if (frames) frames.push(frame);
  else byNode.set(nodeId, [frame]);
}

const perhapsDead = { timeout: limits.im.deliverTimeoutMs, tracking: false } as const;

/** The im-server nodes, and the calls to them. */
export class NodeCalls {
  private readonly broker: ServiceBroker;
  private readonly log: Service["logger"];
  /** Nodes that did not answer the last time: they are still sent to, but nobody waits for them. */
  private readonly silent = new Set<string>();

  constructor(broker: ServiceBroker, log: Service["logger"]) {
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
   * Hands frames to nodes, those of a node in their order, and resolves to how many connections took them. Never
   * rejects: the members of a node that does not answer come back to another one and catch up there.
   */
  async deliver(framesByNode: FramesByNode): Promise<number> {
    const handed = [...framesByNode].flatMap(([nodeId, frames]) =>
      this.calls(nodeId, frames).map((part) => {
        const wait = !this.silent.has(nodeId);
        const delivered = this.deliverTo(nodeId, part);
        return wait ? delivered : 0;
      }),
    );
    return (await Promise.all(handed)).reduce((sum, delivered) => sum + delivered, 0);
  }

  private calls(nodeID: string, frames: readonly Frame[]): Frame[][] {
    const { deliverFrames: count, deliverBytes: bytes } = limits.im;
    return cutList(frames, { count, bytes }, ({ frame }, size) =>
      this.log.error({ nodeID, bytes: size, frame: frame.slice(0, 200) }, "a frame is too large for a call: not sent"),
    );
  }

  private async deliverTo(nodeID: string, frames: Frame[]): Promise<number> {
    try {
      const { delivered } = await call(this.broker, "im-server.deliver", { frames }, { nodeID, ...perhapsDead });
      if (this.silent.delete(nodeID)) this.log.info({ nodeID }, "the im-server node answers again");
      return delivered;
    } catch (error) {
      if (!this.silent.has(nodeID))
        this.log.warn({ nodeID, err: error }, "an im-server node took no frames: its members count as gone");
      // Ids of nodes never come back, so those of the dead are dropped now and then.
      if (this.silent.size > 1_000) this.silent.clear();
      this.silent.add(nodeID);
      return 0;
    }
  }

  /** Lets the members of a room go, on every node; one that does not answer has none that could stay. */
  async emptyRoom(roomId: number): Promise<void> {
    const emptied = (await this.live()).map((nodeID) =>
      call(this.broker, "im-server.emptyRoom", { roomId }, { nodeID, ...perhapsDead }).catch((error: Error) => {
        this.log.warn(
          { roomId, nodeID, err: error },
          "a node did not empty a closed room: its members stay until they leave",
        );
      }),
    );
    await Promise.all(emptied);
  }
}
