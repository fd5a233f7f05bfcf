import type { StoredMsg } from "nats";
import { fieldsOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import { businessFrame, type Notice } from "../im-frames.ts";
import { noticeStream, noticeSubject } from "../streams.ts";
import type { KeptNotice } from "./notice-box.ts";

/** What JetStream says of a message that is not there: none found, deleted before, or gone with its age. */
const gone = new Set([10_037, 10_043, 10_057]);

function isGone(error: unknown): boolean {
  const code = (error as { api_error?: { err_code?: number } }).api_error?.err_code;
  return code !== undefined && gone.has(code);
}

/**
 * The notice that a message of the stream is, ready to be sent.
 * @throws Error where it is no notice.
 */
function read(message: StoredMsg): KeptNotice {
  const { msgId, userId, bizCode, data } = (fieldsOf(message.json<unknown>()) ?? {}) as unknown as Notice;
  if (typeof msgId !== "string" || typeof userId !== "string" || !Number.isSafeInteger(bizCode) || !fieldsOf(data))
    throw new Error("not a notice");
  const keptUntil = message.time.getTime() + limits.jetstream.noticesAgeMs;
  return { msgId, seq: message.seq, frame: businessFrame({ msgId, userId, bizCode, data }), keptUntil };
}

interface Log {
  error(about: object, text: string): void;
}

/** The notice stream as an im-server uses it. Everything rejects where JetStream is away. */
export class NoticeStore {
  private readonly jetstream: JetStreamState["jetstream"];
  private readonly log: Log;
  private readonly stream = natsPrefix() + noticeStream.name;

  constructor(jetstream: JetStreamState["jetstream"], log: Log) {
    this.jetstream = jetstream;
    this.log = log;
  }

  /**
   * The user's first notice at or after a number of the stream; `undefined` where there is none. What cannot be read is
   * passed over: those that come after it are not held up.
   */
  async next(userId: string, fromSeq: number): Promise<KeptNotice | undefined> {
    for (let from = fromSeq; ; ) {
      const message = await this.stored(userId, from);
      if (!message) return undefined;
      try {
        return read(message);
      } catch (error) {
        const about = { userId, seq: message.seq, err: error };
        this.log.error(about, "a kept notice cannot be read: it is skipped until it expires");
      }
      from = message.seq + 1;
    }
  }

  private async stored(userId: string, fromSeq: number): Promise<StoredMsg | null> {
    // The leader is asked, not a replica: what was kept before the call is found.
    const query = { seq: fromSeq, next_by_subj: natsPrefix() + noticeSubject(userId) };
    return await this.jetstream.manager.streams.getMessage(this.stream, query).catch((error: unknown) => {
      if (isGone(error)) return null;
      throw error;
    });
  }

  /**
   * Removes a notice, which may be gone already. It is looked at first: where the stream was made anew, another user's
   * may stand in its place.
   */
  async remove(userId: string, msgId: string, seq: number): Promise<void> {
    const there = await this.next(userId, seq);
    if (there?.seq !== seq || there.msgId !== msgId) return;
    await this.jetstream.manager.streams.deleteMessage(this.stream, seq, false).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }
}
