import { limits } from "../../config/limits.ts";

interface UntoldOptions {
  /** Tells the living-room service that the anchor was in her room; may be repeated. */
  readonly tell: (anchorId: string, roomId: number) => Promise<unknown>;
  readonly log: { warn(about: object, text: string): void };
}

/**
 * Anchors who were let in while their rooms could not be told: told later, until it is done. Otherwise the room of one who
 * leaves before anybody has seen her would stay live for ever. `limits.attendance.untoldAnchors` rooms at the most.
 */
export class UntoldAnchors {
  private readonly anchors = new Map<number, string>();
  private readonly options: UntoldOptions;

  constructor(options: UntoldOptions) {
    this.options = options;
  }

  get size(): number {
    return this.anchors.size;
  }

  /** False where there are too many already: of this one only a look at who is there may tell. */
  add(anchorId: string, roomId: number): boolean {
    if (this.anchors.size >= limits.attendance.untoldAnchors && !this.anchors.has(roomId)) return false;
    this.anchors.set(roomId, anchorId);
    return true;
  }

  /** Never rejects. Stops at the first that cannot be told: the others wait with it. */
  async tell(): Promise<void> {
    for (const [roomId, anchorId] of [...this.anchors]) {
      try {
        await this.options.tell(anchorId, roomId);
      } catch (error) {
        const about = { roomId, userId: anchorId, waiting: this.anchors.size, err: error };
        this.options.log.warn(about, "a room was not told that its anchor was there: it is told again");
        return;
      }
      this.anchors.delete(roomId);
    }
  }
}
