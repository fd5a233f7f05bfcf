import { createHmac, randomInt } from "node:crypto";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

const { smsCodeDigits, smsCodeTtlMs, smsWrongTries, smsWrongTriesOfOthers } = limits.user;

const keepScript = luaScript("services/user/lua/keep-login-code.lua");
const redeemScript = luaScript("services/user/lua/redeem-login-code.lua");

export type Redeemed = "passed" | "wrong" | "expired";

/** Of the code, and of its wrong tries. */
const keysOf = (phone: string) => [`user:login-code:${phone}`, `user:login-tries:${phone}`] as const;

/** A new code of `limits.user.smsCodeDigits` digits; it may begin with zeros. */
export function newLoginCode(): string {
  return String(randomInt(10 ** smsCodeDigits)).padStart(smsCodeDigits, "0");
}

/**
 * What Redis and the books have of a code: a hash that needs a key of the login tokens, and is of this phone alone. Other
 * services can read Redis, and of six digits a hash without a key is undone in a moment.
 */
function hashWith({ secret }: NamedKey, phone: string, code: string): string {
  const text = `ovation login code v1\n${config().NAMESPACE}\n${phone}\n${code}`;
  return createHmac("sha256", secret).update(text).digest("base64url");
}

/** See `hashWith`; with the key that signs. */
export function codeHash({ signing }: NamedKeys, phone: string, code: string): string {
  return hashWith(signing, phone, code);
}

/**
 * Stores a code's hash for `limits.user.smsCodeTtlMs`, with the address that requested it. `false` where an earlier one
 * is valid: one parallel request gets `true`.
 */
export async function keepCode(
  redis: RedisState["redis"],
  phone: string,
  hash: string,
  address: string,
): Promise<boolean> {
  return (await redis.eval(keepScript, 2, ...keysOf(phone), hash, smsCodeTtlMs, address)) === 1;
}

/**
 * Checks a code that an address gives, by all keys, since they may have been changed since it was sent; `passed` consumes
 * it.
 */
export async function redeemCode(
  redis: RedisState["redis"],
  keys: NamedKeys,
  { phone, code, address }: { phone: string; code: string; address: string },
): Promise<Redeemed> {
  const hashes = [...keys.all.values()].map((key) => hashWith(key, phone, code));
  const given = [address, smsWrongTries, smsWrongTriesOfOthers, ...hashes];
  return (await redis.eval(redeemScript, 2, ...keysOf(phone), ...given)) as Redeemed;
}
