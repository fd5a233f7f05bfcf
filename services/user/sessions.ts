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
 * Opens a session and returns its token of 256 random bits; Redis stores only its SHA-256. The user's oldest sessions
 * beyond `limits.user.tokensPerUser` are ended when it returns.
 */
export async function openSession(redis: Redis, userId: string): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  const hash = hashOf(token);
  await redis.eval(openScript, 2, sessionKey(hash), indexKey(userId), userId, tokenTtlMs, tokensPerUser, hash);
  return token;
}

/** The user of a token, `null` where it has no session. */
export async function userOfToken(redis: Redis, token: string): Promise<string | null> {
  return tokenForm.test(token) ? redis.get(sessionKey(hashOf(token))) : null;
}

/** Ends the session of a token; a token without one is fine. */
export async function endSession(redis: Redis, token: string): Promise<void> {
  if (!tokenForm.test(token)) return;
  const hash = hashOf(token);
  const userId = await redis.get(sessionKey(hash));
  if (userId !== null) await Promise.all([redis.del(sessionKey(hash)), redis.zrem(indexKey(userId), hash)]);
}
