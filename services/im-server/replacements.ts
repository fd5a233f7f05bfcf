import type { Log } from "../../broker/log.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";

type Send = (nodeId: string, connectionIds: string[]) => Promise<unknown>;

/**
 * Tells other nodes which of their connections newer ones on this node have replaced, in one call to a node for those
 * of a short time. When a node dies, all its users connect here at once, and each call is one more message to the dead
 * node.
 */
export class Replacements {
  private readonly waiting = new Map<string, string[]>();
  private readonly send: Send;
  private readonly gatherMs: number;
  private readonly log: Log;

  constructor(parts: { send: Send; gatherMs: number; log: Log }) {
    this.send = parts.send;
    this.gatherMs = parts.gatherMs;
    this.log = parts.log;
  }

  add(nodeId: string, connectionId: string): void {
    const others = this.waiting.get(nodeId);
    if (others) others.push(connectionId);
    else {
      this.waiting.set(nodeId, [connectionId]);
      setTimeout(() => void this.flush(nodeId), this.gatherMs);
    }
  }

  private async flush(nodeId: string): Promise<void> {
    const connectionIds = this.waiting.get(nodeId) ?? [];
    this.waiting.delete(nodeId);
    const { replacesPerCall: count } = limits.im;
    // These ids are made by us: none is too large.
    const parts = cutList(connectionIds, { count, bytes: limits.bus.listBytes }, () => undefined);
    try {
      await Promise.all(parts.map((part) => this.send(nodeId, part)));
    } catch (error) {
      const about = { nodeId, connections: connectionIds.length, err: error };
      this.log.warn(
        about,
        "the node of replaced connections did not answer: it closes them at its next renewal of leases",
      );
    }
  }
}
