import { randomInt } from "node:crypto";
import { limits } from "../../config/limits.ts";
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
 * Stores the code for `limits.user.smsCodeTtlMs`, with the address that requested it. `false` where an earlier one is
 * valid: one parallel request gets `true`.
 */
export async function keepCode(
  redis: RedisState["redis"],
  phone: string,
  code: string,
  address: string,
): Promise<boolean> {
  return (await redis.eval(keepScript, 2, ...keysOf(phone), code, smsCodeTtlMs, address)) === 1;
}

/** Checks a code that an address gives; `passed` consumes it. */
export async function redeemCode(
  redis: RedisState["redis"],
  phone: string,
  code: string,
  address: string,
): Promise<Redeemed> {
  const bounds = [smsWrongTries, smsWrongTriesOfOthers];
  return (await redis.eval(redeemScript, 2, ...keysOf(phone), code, address, ...bounds)) as Redeemed;
}
