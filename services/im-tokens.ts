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

const lastTurn = "im:turn";

/** Whose token it was, and its turn: of two connections of a user the one whose token was used later has the higher. */
export interface Redeemed {
  userId: string;
  turn: number;
}

/**
 * Purpose: uses a token up and gives it a turn, which is the time in µs, or one more than the last turn where the clock
 * has been set back. KEYS: token, last turn. Replies {user, turn}, or nil where the token is bad, used or too old.
 */
const redeemScript = `
local user = redis.call('GETDEL', KEYS[1])
if not user then return nil end
local t = redis.call('TIME')
local turn = math.max(t[1] * 1000000 + t[2], tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
redis.call('SET', KEYS[2], string.format('%.0f', turn))
return {user, turn}`;

/** From now on it is nobody's; `null` where it is bad, used or too old. Rejects where Redis is away. */
export async function redeemToken(redis: Redis, token: string): Promise<Redeemed | null> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return null;
  const reply = (await redis.eval(redeemScript, 2, keyOf(token), lastTurn)) as [string, number] | null;
  return reply && { userId: reply[0], turn: reply[1] };
}
