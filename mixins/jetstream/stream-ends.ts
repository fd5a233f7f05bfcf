import type { StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";

interface End {
  readonly sequence: number;
  readonly at: Date;
}

/**
 * Where a log ended when it was looked at, and when the message there was stored: whoever has read up to an end has
 * read everything that is older. At the beginning they are a look apart; of a longer past every second one is kept.
 */
export class StreamEnds {
  /** Oldest first. */
  private ends: End[] = [];

  saw({ created, state }: Pick<StreamInfo, "created" | "state">): void {
    const at = (time: string) => new Date(Math.max(Date.parse(time), Date.parse(created)));
    // The stream went back in time.
    this.ends = this.ends.filter(({ sequence }) => sequence <= state.last_seq);
    if (this.ends.length === 0 && state.messages > 0)
      this.ends.push({ sequence: state.first_seq - 1, at: at(state.first_ts) });
    if (state.last_seq > (this.ends.at(-1)?.sequence ?? -1))
      this.ends.push({ sequence: state.last_seq, at: at(state.last_ts) });
    if (this.ends.length > limits.jetstream.streamEndsKept) this.ends = this.ends.filter((_, index) => index % 2 === 0);
  }

  /** A time before which nothing behind a sequence was stored; `undefined` where no look has seen so early a part. */
  timeOf(sequence: number): Date | undefined {
    return this.ends.findLast((end) => end.sequence <= sequence)?.at;
  }
}
