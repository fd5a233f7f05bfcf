import { createHash, randomBytes } from "node:crypto";
import { limits } from "../config/limits.ts";
import type { RedisState } from "../mixins/redis.mixin.ts";

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

/** Whose token it was, and when it was used, by the clock of Redis, µs: later connections of a user have a higher turn. */
export interface Redeemed {
  userId: string;
  turn: number;
}

/** Purpose: uses a token up. KEYS: token. Replies {user, now in µs}, or nil where it is bad, used or too old. */
const redeemScript = `
local user = redis.call('GETDEL', KEYS[1])
if not user then return nil end
local t = redis.call('TIME')
return {user, t[1] * 1000000 + t[2]}`;

/** From now on it is nobody's; `null` where it is bad, used or too old. Rejects where Redis is away. */
export async function redeemToken(redis: Redis, token: string): Promise<Redeemed | null> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return null;
  const reply = (await redis.eval(redeemScript, 1, keyOf(token))) as [string, number] | null;
  return reply && { userId: reply[0], turn: reply[1] };
}
