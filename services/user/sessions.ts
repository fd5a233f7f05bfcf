import { hash, randomBytes } from "node:crypto";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

type Redis = RedisState["redis"];

const { tokenTtlMs, tokensPerUser } = limits.user;
const tokenForm = /^[A-Za-z0-9_-]{43}$/;

/**
 * Purpose: open a session and drop the user's oldest ones beyond the bound, in one step, so that parallel logins keep it.
 * KEYS[1] the session, KEYS[2] the user's sessions (hashes by opening time, µs of the Redis server's clock).
 * ARGV[1] user id, ARGV[2] life in ms, ARGV[3] sessions a user may have, ARGV[4] the token's hash, with which KEYS[1]
 * ends (what stands before it is the prefix of the dropped ones' keys). Replies the number of dropped sessions.
 */
const openScript = `
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[4])
local oldest = redis.call('ZRANGE', KEYS[2], 0, -1 - tonumber(ARGV[3]))
for _, hash in ipairs(oldest) do
  redis.call('DEL', prefix .. hash)
  redis.call('ZREM', KEYS[2], hash)
end
return #oldest`;

const hashOf = (token: string) => hash("sha256", token, "hex");
const sessionKey = (hash: string) => `user:session:${hash}`;
const indexKey = (userId: string) => `user:sessions:${userId}`;

/**
 * Opens a session and returns its token, 256 random bits of which Redis gets the SHA-256 alone. A user's oldest
 * sessions beyond `limits.user.tokensPerUser` are dead when it returns.
 */
export async function openSession(redis: Redis, userId: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  const hash = hashOf(token);
  await redis.eval(openScript, 2, sessionKey(hash), indexKey(userId), userId, tokenTtlMs, tokensPerUser, hash);
  return token;
}

/** Whose session a token is, `null` where nobody's. */
export async function userOfToken(redis: Redis, token: string): Promise<string | null> {
  return tokenForm.test(token) ? redis.get(sessionKey(hashOf(token))) : null;
}

/** Ends the session of a token, if there is one: it is dead when this returns. */
export async function endSession(redis: Redis, token: string): Promise<void> {
  if (!tokenForm.test(token)) return;
  const hash = hashOf(token);
  const userId = await redis.get(sessionKey(hash));
  if (userId !== null) await Promise.all([redis.del(sessionKey(hash)), redis.zrem(indexKey(userId), hash)]);
}
