import { hash, randomBytes } from "node:crypto";
import { limits } from "../../config/limits.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

type Redis = RedisState["redis"];

const { tokenTtlMs, tokensPerUser } = limits.user;
const tokenForm = /^[A-Za-z0-9_-]{43}$/;

const openScript = luaScript("services/user/lua/open-session.lua");

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
