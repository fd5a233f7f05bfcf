import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { businessFrame, type Notice } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import { noticeSubject } from "../streams.ts";
import { appendTo, type FramesByNode, type NodeCalls } from "./node-calls.ts";

interface Parts {
  redis: RedisState["redis"];
  jetstream: JetStreamState["jetstream"];
  nodes: NodeCalls;
  log: Service["logger"];
}

/** Personal notices, on their way to the notice stream and from there to where their users are connected. */
export class UserNotices {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Keeps the notices, then sends them to who is connected, and resolves to how many connections took one. In this
   * order: a user who connects meanwhile is either found in presence or finds the notice in the stream.
   */
  async send(notices: readonly Notice[]): Promise<number> {
    let delivered = 0;
    for (let at = 0; at < notices.length; at += limits.im.noticesPerPublish)
      delivered += await this.sendPart(notices.slice(at, at + limits.im.noticesPerPublish));
    return delivered;
  }

  private async sendPart(notices: readonly Notice[]): Promise<number> {
    const numbers = await Promise.all(notices.map((notice) => this.keep(notice)));
    const places = await this.placesOf(notices);
    const everywhere = places ? [] : await this.parts.nodes.live();
    const byNode: FramesByNode = new Map();
    for (const [i, notice] of notices.entries()) {
      const { userId, msgId } = notice;
      const frame = { userId, msgId, seq: numbers[i] as number, frame: businessFrame(notice) };
      for (const nodeId of places ? [places[i]] : everywhere) if (nodeId) appendTo(byNode, nodeId, frame);
    }
    return this.parts.nodes.deliver(byNode);
  }

  /** Resolves to the notice's number in the stream, the first one where it was kept before. Fails: unavailable. */
  private async keep({ userId, msgId, bizCode, data }: Notice): Promise<number> {
    const notice: Notice = { userId, msgId, bizCode, data };
    const options = { msgId: `notice:${userId}:${msgId}` };
    return (await this.parts.jetstream.publish(noticeSubject(userId), notice, options)).seq;
  }

  /** The nodes where the users are connected, `null` where they are not; `undefined` where Redis is away. */
  private placesOf(notices: readonly Notice[]): Promise<(string | null)[] | undefined> {
    const { redis, log } = this.parts;
    const places = notices.map(({ userId }) => redis.hget(imKeys.user(userId), "node"));
    return Promise.all(places).catch((error: Error) => {
      log.warn({ notices: notices.length, err: error }, "presence cannot be read: the notices go to every node");
      return undefined;
    });
  }
}
