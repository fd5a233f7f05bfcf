import { createHash, randomBytes } from "node:crypto";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

type Redis = RedisState["redis"];

/** Redis knows a token by its hash only: who reads Redis cannot connect with what stands there. */
function keyOf(token: string): string {
  return `im:token:${createHash("sha256").update(token).digest("base64url")}`;
}

/** Rejects where Redis is away. */
export async function makeToken(redis: Redis, userId: string): Promise<string> {
  const token = randomBytes(24).toString("base64url");
  await redis.set(keyOf(token), userId, "PX", limits.im.tokenTtlMs);
  return token;
}

/** Whose token it is, and from now on nobody's; `null` where it is bad, used or too old. Rejects where Redis is away. */
export async function redeemToken(redis: Redis, token: string): Promise<string | null> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return null;
  return redis.getdel(keyOf(token));
}
