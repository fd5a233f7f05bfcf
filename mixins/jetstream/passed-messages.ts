import type { ConsumerInfo, StreamInfo } from "nats";
import { limits } from "../../config/limits.ts";
import { identityOf, isSameStream, type StreamIdentity } from "./streams.ts";

/** The end of what a queue's consumer had acked without a gap, at a check. */
interface Acked {
  readonly stream: StreamIdentity;
  readonly created: string;
  readonly upTo: number;
}

/** The oldest message of a queue, which its consumer has passed. */
interface Passed {
  readonly sequence: number;
  /** When that was seen first, or told last, ms. */
  readonly since: number;
}

/**
 * Finds consumers of queues that have passed messages which are still there. An acked message leaves its queue, so there
 * are none of these; but a replica of nats-server 2.9 that lost its disk keeps messages that were acked while it got
 * the others, and has them when it becomes the leader; and after a loss of power a consumer may have read more than its
 * stream has. The server never delivers such a message, whether it was handled or not (decision 0093).
 */
export class PassedMessages {
  private readonly acked = new Map<string, Acked>();
  private readonly passed = new Map<string, Passed>();

  /**
   * Looks at a queue without filters and its consumer, which was asked for after the stream; `now` in ms. Returns the
   * sequence of the oldest message that was passed, whenever it has been there for another `limits.jetstream.passedForMs`
   * by this and all looks between. A consumer that is made again is looked at anew.
   */
  look(durable: string, stream: StreamInfo, consumer: ConsumerInfo, now: number): number | undefined {
    const before = this.acked.get(durable);
    const [identity, created] = [identityOf(stream), consumer.created];
    this.acked.set(durable, { stream: identity, created, upTo: consumer.ack_floor.stream_seq });
    const { first_seq: sequence, messages } = stream.state;
    const isPassed =
      before?.created === created && isSameStream(before.stream, identity) && messages > 0 && sequence <= before.upTo;
    if (!isPassed) {
      this.passed.delete(durable);
      return undefined;
    }
    const known = this.passed.get(durable);
    const since = known?.sequence === sequence ? known.since : now;
    this.passed.set(durable, { sequence, since });
    if (now - since < limits.jetstream.passedForMs) return undefined;
    this.passed.set(durable, { sequence, since: now });
    return sequence;
  }
}
