import { createHash, randomBytes } from "node:crypto";
import { limits } from "../config/limits.ts";
import { luaScript } from "../mixins/redis/lua-script.ts";
import type { RedisState } from "../mixins/redis.mixin.ts";

type Redis = RedisState["redis"];

/** Redis has only the hash of a token, so nobody who reads Redis can connect with it. */
function keyOf(token: string): string {
  return `im:token:${createHash("sha256").update(token).digest("base64url")}`;
}

/** Rejects without Redis. */
export async function makeToken(redis: Redis, userId: string): Promise<string> {
  const token = randomBytes(24).toString("base64url");
  await redis.set(keyOf(token), userId, "PX", limits.im.tokenTtlMs);
  return token;
}

const lastGeneration = "im:generation";

/**
 * The user of the token, and the generation of the connection: of two connections of a user the one whose token was
 * used later has the higher generation.
 */
export interface Redeemed {
  userId: string;
  generation: number;
}

const redeemScript = luaScript("services/lua/redeem-im-token.lua");

/** Uses the token up; `null` where it is bad, used or too old. Rejects without Redis. */
export async function redeemToken(redis: Redis, token: string): Promise<Redeemed | null> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return null;
  const reply = (await redis.eval(redeemScript, 2, keyOf(token), lastGeneration)) as [string, number] | null;
  return reply && { userId: reply[0], generation: reply[1] };
}
