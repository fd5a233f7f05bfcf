import type { PubAck } from "nats";
import type { SeenStream } from "./losses.ts";

/** What a look finds out by what was seen before. */
export type Finding =
  | { readonly is: "same" }
  | { readonly is: "another"; readonly before: SeenStream }
  /** The same stream ends before where it did: its store is an older one. `isMarked`: another node has marked it for that. */
  | { readonly is: "back"; readonly before: SeenStream; readonly lastSequence: number; readonly isMarked: boolean };

/** Streams as they were seen last, by the server's names. */
export class SeenStreams {
  private readonly seen = new Map<string, SeenStream>();
  /** Where streams ended that ended too early at the last look. */
  private readonly doubted = new Map<string, number>();

  get(stream: string): SeenStream | undefined {
    return this.seen.get(stream);
  }

  /**
   * Compares a stream with what was seen of it, and remembers it. What ends too early is believed at the second look in
   * a row, since a new leader may lag, and not remembered before `believe`.
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
   * What is published after this call was acked by the stream of which creation time: as the last look before it saw the
   * stream, or "" where it was another one.
   */
  whoAcks(): (ack: PubAck) => string {
    const before = new Map(this.seen);
    return ({ stream, seq, duplicate }) => {
      const seen = before.get(stream);
      return seen && (duplicate || seq > seen.lastSequence) ? seen.created : "";
    };
  }
}
