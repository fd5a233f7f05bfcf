import type { Service } from "moleculer";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { businessFrame } from "../im-frames.ts";
import { imKeys } from "../im-keys.ts";
import { appendTo, type FramesByNode, type NodeCalls } from "./node-calls.ts";

type Redis = RedisState["redis"];

interface UserNotice {
  userId: string;
  msgId: string;
  bizCode: number;
  data: Record<string, unknown>;
}

/** Where users are connected; `null` where they are not. Rejects where Redis is away. */
export async function nodesOf(redis: Redis, userIds: readonly string[]): Promise<(string | null)[]> {
  return Promise.all(userIds.map((userId) => redis.hget(imKeys.user(userId), "node")));
}

/** Sends notices to their users and resolves to how many connections took one. Without Redis every node is asked. */
export async function sendNotices(
  redis: Redis,
  nodes: NodeCalls,
  log: Service["logger"],
  notices: readonly UserNotice[],
): Promise<number> {
  const places = await nodesOf(
    redis,
    notices.map(({ userId }) => userId),
  ).catch((error: Error) => {
    log.warn({ notices: notices.length, err: error }, "presence cannot be read: the notices go to every node");
    return undefined;
  });
  const everywhere = places ? [] : await nodes.live();
  const byNode: FramesByNode = new Map();
  for (const [i, notice] of notices.entries()) {
    const to = places ? [places[i]] : everywhere;
    const frame = { userId: notice.userId, frame: businessFrame(notice) };
    for (const nodeId of to) if (nodeId) appendTo(byNode, nodeId, frame);
  }
  return nodes.deliver(byNode);
}
