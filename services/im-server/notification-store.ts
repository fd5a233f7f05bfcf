import type { StoredMsg } from "nats";
import type { Log } from "../../broker/log.ts";
import { fieldsOf } from "../../broker/unknown-values.ts";
import { natsPrefix } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import { type BusinessMessage, businessFrame } from "../im-frames.ts";
import { notificationStream, notificationSubject } from "../streams.ts";
import type { StoredNotification } from "./unacked-notifications.ts";

/** JetStream's error codes for a missing message: not found, deleted, or expired. */
const gone = new Set([10_037, 10_043, 10_057]);

function isGone(error: unknown): boolean {
  const code = (error as { api_error?: { err_code?: number } }).api_error?.err_code;
  return code !== undefined && gone.has(code);
}

/** Reads a notification from a message of the stream. @throws Error where it is not one. */
function read(message: StoredMsg): StoredNotification {
  const body = (fieldsOf(message.json<unknown>()) ?? {}) as unknown as BusinessMessage;
  const { msgId, userId, bizCode, data } = body;
  if (typeof msgId !== "string" || typeof userId !== "string" || !Number.isSafeInteger(bizCode) || !fieldsOf(data))
    throw new Error("not a notification");
  const expiresAt = message.time.getTime() + limits.jetstream.notificationsAgeMs;
  return { msgId, seq: message.seq, frame: businessFrame({ msgId, userId, bizCode, data }), expiresAt };
}

/** The notification stream for an im-server. Everything rejects without JetStream. */
export class NotificationStore {
  private readonly jetstream: JetStreamState["jetstream"];
  private readonly log: Log;
  private readonly stream = natsPrefix() + notificationStream.name;

  constructor(jetstream: JetStreamState["jetstream"], log: Log) {
    this.jetstream = jetstream;
    this.log = log;
  }

  /**
   * The user's first notification at or after a sequence; `undefined` where there is none. One that cannot be read is
   * skipped.
   */
  async next(userId: string, fromSeq: number): Promise<StoredNotification | undefined> {
    for (let from = fromSeq; ; ) {
      const message = await this.stored(userId, from);
      if (!message) return undefined;
      try {
        return read(message);
      } catch (error) {
        const about = { userId, seq: message.seq, err: error };
        this.log.error(about, "a stored notification cannot be read: it is skipped until it expires");
      }
      from = message.seq + 1;
    }
  }

  private async stored(userId: string, fromSeq: number): Promise<StoredMsg | null> {
    // The leader answers, not a replica: so everything stored before the call is found.
    const query = { seq: fromSeq, next_by_subj: natsPrefix() + notificationSubject(userId) };
    return await this.jetstream.manager.streams.getMessage(this.stream, query).catch((error: unknown) => {
      if (isGone(error)) return null;
      throw error;
    });
  }

  /**
   * Removes a notification, which may be removed already. It is read first: where the stream was made again, the
   * sequence may be another user's.
   */
  async remove(userId: string, msgId: string, seq: number): Promise<void> {
    const there = await this.next(userId, seq);
    if (there?.seq !== seq || there.msgId !== msgId) return;
    await this.jetstream.manager.streams.deleteMessage(this.stream, seq, false).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }
}
