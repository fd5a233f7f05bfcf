import { cutList } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";

interface Log {
  warn(about: object, text: string): void;
}

/**
 * Tells other nodes which of their connections were replaced by newer ones here: those of a moment in one call a node.
 * When a node dies its whole crowd comes here, and each of them is news for a node that cannot hear it any more.
 */
export class Replacements {
  private readonly waiting = new Map<string, string[]>();
  private readonly tell: (nodeId: string, connectionIds: string[]) => Promise<unknown>;
  private readonly gatherMs: number;
  private readonly log: Log;

  constructor(parts: {
    tell: (nodeId: string, connectionIds: string[]) => Promise<unknown>;
    gatherMs: number;
    log: Log;
  }) {
    this.tell = parts.tell;
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
      await Promise.all(parts.map((part) => this.tell(nodeId, part)));
    } catch (error) {
      const about = { nodeId, connections: connectionIds.length, err: error };
      this.log.warn(about, "replaced connections' node did not answer: it finds out when it renews its leases");
    }
  }
}
