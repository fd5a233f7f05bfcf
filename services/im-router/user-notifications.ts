import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { type BusinessMessage, businessFrame } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import { notificationSubject } from "../streams.ts";
import { appendTo, type FramesByNode, type NodeCalls } from "./node-calls.ts";

interface Parts {
  redis: RedisState["redis"];
  jetstream: JetStreamState["jetstream"];
  nodes: NodeCalls;
  log: Log;
}

/** Stores notifications to single users in their stream, and sends them to the nodes where the users are connected. */
export class UserNotifications {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Stores the notifications, then sends them to users who are connected. In this order, a user who connects meanwhile
   * is either found in presence or finds the notification in the stream. Fails: unavailable; some may be stored then.
   */
  async send(notifications: readonly BusinessMessage[]): Promise<void> {
    const { notificationsPerPublish: size } = limits.im;
    for (let at = 0; at < notifications.length; at += size) await this.sendPart(notifications.slice(at, at + size));
  }

  private async sendPart(notifications: readonly BusinessMessage[]): Promise<void> {
    const seqs = await Promise.all(notifications.map((notification) => this.store(notification)));
    const places = await this.placesOf(notifications);
    const everywhere = places ? [] : await this.parts.nodes.live();
    const byNode: FramesByNode = new Map();
    for (const [i, notification] of notifications.entries()) {
      const { userId, msgId } = notification;
      const frame = { userId, msgId, seq: seqs[i] as number, frame: businessFrame(notification) };
      for (const nodeId of places ? [places[i]] : everywhere) if (nodeId) appendTo(byNode, nodeId, frame);
    }
    await this.parts.nodes.deliver(byNode);
  }

  /** Returns the sequence in the stream, the first one where it was stored before. */
  private async store({ userId, msgId, bizCode, data }: BusinessMessage): Promise<number> {
    const notification: BusinessMessage = { userId, msgId, bizCode, data };
    const options = { msgId: `notification:${userId}:${msgId}` };
    return (await this.parts.jetstream.publish(notificationSubject(userId), notification, options)).seq;
  }

  /** The nodes where the users are connected, `null` where they are not; `undefined` without Redis. */
  private placesOf(notifications: readonly BusinessMessage[]): Promise<(string | null)[] | undefined> {
    const { redis, log } = this.parts;
    const places = notifications.map(({ userId }) => redis.hget(imKeys.user(userId), "node"));
    return Promise.all(places).catch((error: Error) => {
      log.warn(
        { notifications: notifications.length, err: error },
        "presence cannot be read: notifications are sent to every node",
      );
      return undefined;
    });
  }
}
