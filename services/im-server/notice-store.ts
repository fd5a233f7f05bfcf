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

/** The notice stream as an im-server uses it. Everything rejects where JetStream is away. */
export class NoticeStore {
  private readonly jetstream: JetStreamState["jetstream"];
  private readonly stream = natsPrefix() + noticeStream.name;

  constructor(jetstream: JetStreamState["jetstream"]) {
    this.jetstream = jetstream;
  }

  /** The user's first notice at or after a number of the stream; `undefined` where there is none. */
  async next(userId: string, fromSeq: number): Promise<KeptNotice | undefined> {
    // The leader is asked, not a replica: what was kept before the call is found.
    const query = { seq: fromSeq, next_by_subj: natsPrefix() + noticeSubject(userId) };
    const message = await this.jetstream.manager.streams.getMessage(this.stream, query).catch((error: unknown) => {
      if (isGone(error)) return null;
      throw error;
    });
    if (!message) return undefined;
    const notice = message.json<Notice>();
    const keptUntil = message.time.getTime() + limits.jetstream.noticesAgeMs;
    return { msgId: notice.msgId, seq: message.seq, frame: businessFrame(notice), keptUntil };
  }

  /** A notice that is gone already is none to remove. */
  async remove(seq: number): Promise<void> {
    await this.jetstream.manager.streams.deleteMessage(this.stream, seq, false).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }
}
