import type { Log } from "../../broker/log.ts";
import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";

type Send = (nodeId: string, connectionIds: string[]) => Promise<unknown>;

/**
 * Calls other nodes about their connections that were replaced by newer ones here: those of a short time in one call a
 * node. When a node dies all its users come here at once, and each of them is one more message to the dead node.
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
    // Our own ids: none of them is too large.
    const parts = cutList(connectionIds, { count, bytes: limits.bus.listBytes }, () => undefined);
    try {
      await Promise.all(parts.map((part) => this.send(nodeId, part)));
    } catch (error) {
      const about = { nodeId, connections: connectionIds.length, err: error };
      this.log.warn(about, "the node of replaced connections did not answer: it closes them when it renews its leases");
    }
  }
}
