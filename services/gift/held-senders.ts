import { isUnavailable } from "../../broker/failure.ts";
import { SomeNotHandled } from "../../mixins/jetstream/some-not-handled.ts";
import type { ChannelMessage } from "../../mixins/jetstream.mixin.ts";
import type { AcceptedGift } from "./accepted-gift.ts";

/** The senders of a batch whose gifts cannot be settled now, with the reasons. */
export class HeldSenders {
  private readonly why = new Map<string, unknown>();

  has({ senderId }: Pick<AcceptedGift, "senderId">): boolean {
    return this.why.has(senderId);
  }

  /** @throws the reason, where it is no outage: then all of the batch is tried again, sender by sender */
  add(senderIds: Iterable<string>, why: unknown): void {
    if (!isUnavailable(why)) throw why;
    for (const senderId of senderIds) this.why.set(senderId, why);
  }

  /** @throws SomeNotHandled, where there are some */
  throwFor(messages: readonly ChannelMessage[]): void {
    const theirs = messages.filter(({ data }) => this.has(data as AcceptedGift));
    if (theirs.length > 0)
      throw new SomeNotHandled(
        new Map(theirs.map((message) => [message, this.why.get((message.data as AcceptedGift).senderId)])),
      );
  }
}
