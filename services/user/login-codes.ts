import { createHmac, randomInt } from "node:crypto";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";
import { countTry, loggedInFrom, useSms } from "./sms-store.ts";

const { smsAddressKnownDays, smsCodeDigits, smsCodeTtlMs, smsTriesOfAll, smsWrongTries, smsWrongTriesOfOthers } =
  limits.user;

const keepScript = luaScript("services/user/lua/keep-login-code.lua");
const redeemScript = luaScript("services/user/lua/redeem-login-code.lua");

export type Redeemed = "passed" | "wrong" | "expired";

/**
 * The keys at Redis of a phone's code and of its wrong tries. Their names show no phone, since gift nodes can list the
 * names of all keys; of a phone a hash without a key is undone in a moment.
 */
export function codeKeysOf({ secret }: NamedKey, phone: string): [code: string, tries: string] {
  const text = `ovation login code name v1\n${config().NAMESPACE}\n${phone}`;
  const name = createHmac("sha256", secret).update(text).digest("base64url");
  return [`user:login-code:${name}`, `user:login-tries:${name}`];
}

/** A new code of `limits.user.smsCodeDigits` digits; it may begin with zeros. */
export function newLoginCode(): string {
  return String(randomInt(10 ** smsCodeDigits)).padStart(smsCodeDigits, "0");
}

/**
 * What Redis and the books have of a code: a hash that needs a key of the login tokens, and is of this phone alone.
 * Other services can read Redis, and of six digits a hash without a key is undone in a moment.
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
  { signing }: NamedKeys,
  { phone, hash, address }: { phone: string; hash: string; address: string },
): Promise<boolean> {
  return (await redis.eval(keepScript, 2, ...codeKeysOf(signing, phone), hash, smsCodeTtlMs, address)) === 1;
}

/** A code that somebody gives, and the address it comes from. */
interface GivenCode {
  readonly phone: string;
  readonly code: string;
  readonly address: string;
}

/** By all keys, since they may have been changed since the code was sent. */
const hashesOf = ({ all }: NamedKeys, { phone, code }: GivenCode) =>
  [...all.values()].map((key) => hashWith(key, phone, code));

/**
 * What Redis says of a code, with the tries of each address; `passed` consumes it there. `isKnown`: the address has
 * logged in with the phone before, so that strangers cannot burn the code for it.
 */
export async function redeemCode(
  redis: RedisState["redis"],
  keys: NamedKeys,
  given: GivenCode,
  isKnown = false,
): Promise<Redeemed> {
  const args = [given.address, smsWrongTries, smsWrongTriesOfOthers, isKnown ? 1 : 0, ...hashesOf(keys, given)];
  // The code's name is by the key that signed when it was sent.
  for (const key of keys.all.values()) {
    const redeemed = (await redis.eval(redeemScript, 2, ...codeKeysOf(key, given.phone), ...args)) as Redeemed;
    if (redeemed !== "expired") return redeemed;
  }
  return "expired";
}

/**
 * Checks a code; `passed` consumes it. Redis and the code's row must both allow it, and nobody learns whether a guess
 * was right before the row has counted it: whoever can write Redis alone gains no tries, no time and no second use.
 * Fails: unavailable; the code may be consumed then.
 */
export async function tryCode(
  { redis, mysql }: RedisState & MysqlState,
  keys: NamedKeys,
  given: GivenCode,
): Promise<Redeemed> {
  const isKnown = await loggedInFrom(mysql, given.phone, given.address, smsAddressKnownDays);
  const byRedis = await redeemCode(redis, keys, given, isKnown);
  if (byRedis === "expired") return "expired";
  const sms = await countTry(mysql, given.phone, { ttlMs: smsCodeTtlMs, most: smsTriesOfAll });
  if (!sms) return "expired";
  if (byRedis === "wrong" || !hashesOf(keys, given).includes(sms.hash)) return "wrong";
  return (await useSms(mysql, sms.id, given.address)) ? "passed" : "expired";
}
