import type { PubAck } from "nats";
import type { SeenStream } from "./losses.ts";

/** The result of comparing a stream with its last known state. */
export type Finding =
  | { readonly is: "same" }
  | { readonly is: "another"; readonly before: SeenStream }
  /**
   * The same stream ends before its last known end: its store is older. `isMarked`: another node has marked this loss.
   */
  | { readonly is: "back"; readonly before: SeenStream; readonly lastSequence: number; readonly isMarked: boolean };

/** The last known states of streams, by the server's names. */
export class SeenStreams {
  private readonly seen = new Map<string, SeenStream>();
  /** The last sequences of streams that ended too early at the last check. */
  private readonly doubted = new Map<string, number>();

  get(stream: string): SeenStream | undefined {
    return this.seen.get(stream);
  }

  /**
   * Compares a stream with its last known state, and keeps the new state. An end that is too early counts only at the
   * second check in a row, since a new leader may lag. Until `believe` it is not kept.
   */
  compare(stream: string, now: SeenStream): Finding {
    const before = this.seen.get(stream);
    if (before && before.created === now.created && now.lastSequence < before.lastSequence) {
      const isMarked = now.mark > before.mark;
      const lastSequence = Math.min(now.lastSequence, this.doubted.get(stream) ?? now.lastSequence);
      const isSure = isMarked || this.doubted.has(stream);
      this.doubted.set(stream, lastSequence);
      return isSure ? { is: "back", before, lastSequence, isMarked } : { is: "same" };
    }
    this.believe(stream, now);
    return before && before.created !== now.created ? { is: "another", before } : { is: "same" };
  }

  believe(stream: string, now: SeenStream): void {
    this.doubted.delete(stream);
    this.seen.set(stream, now);
  }

  /**
   * After a publication, gives the creation time of the stream that acked it, as of the last check before this call; ""
   * where it was another stream.
   */
  whoAcks(): (ack: PubAck) => string {
    const before = new Map(this.seen);
    return ({ stream, seq, duplicate }) => {
      const seen = before.get(stream);
      return seen && (duplicate || seq > seen.lastSequence) ? seen.created : "";
    };
  }
}
