import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";

/**
 * Anchors who were admitted while the living-room service could not be called. They are reported later, until it
 * answers. Otherwise the room of an anchor who leaves before a check has found her would stay live for ever. Bounded by
 * `limits.im.unreportedAnchors`; lost where the node dies.
 */
export class UnreportedAnchors {
  private readonly anchors = new Map<number, string>();
  private readonly send: (anchorId: string, roomId: number) => Promise<unknown>;
  private readonly log: Log;

  /** @param send reports to the living-room service that the anchor was in her room; may be repeated */
  constructor(send: (anchorId: string, roomId: number) => Promise<unknown>, log: Log) {
    this.send = send;
    this.log = log;
  }

  /** False where there are too many already. Then a check of the rooms finds her, if she is still there. */
  add(anchorId: string, roomId: number): boolean {
    if (this.anchors.size >= limits.im.unreportedAnchors && !this.anchors.has(roomId)) return false;
    this.anchors.set(roomId, anchorId);
    return true;
  }

  /** Never rejects. Stops at the first report that fails; the others are tried later. */
  async report(): Promise<void> {
    for (const [roomId, anchorId] of [...this.anchors]) {
      try {
        await this.send(anchorId, roomId);
      } catch (error) {
        const about = { roomId, userId: anchorId, waiting: this.anchors.size, err: error };
        this.log.warn(about, "an anchor's presence could not be reported to living-room: it is tried again");
        return;
      }
      this.anchors.delete(roomId);
    }
  }
}
