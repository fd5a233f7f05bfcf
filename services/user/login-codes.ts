import { randomInt } from "node:crypto";
import { limits } from "../../config/limits.ts";
import { luaScript } from "../../mixins/redis/lua-script.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

const { smsCodeDigits, smsCodeTtlMs, smsWrongTries } = limits.user;

const redeemScript = luaScript("services/user/lua/redeem-login-code.lua");

export type Redeemed = "passed" | "wrong" | "expired";

const keyOf = (phone: string) => `user:login-code:${phone}`;

/** A new code of `limits.user.smsCodeDigits` digits; it may begin with zeros. */
export function newLoginCode(): string {
  return String(randomInt(10 ** smsCodeDigits)).padStart(smsCodeDigits, "0");
}

/** Stores the code for `limits.user.smsCodeTtlMs`. `false` where an earlier one is valid: one parallel request gets `true`. */
export async function keepCode(redis: RedisState["redis"], phone: string, code: string): Promise<boolean> {
  return (await redis.set(keyOf(phone), `${code}:0`, "PX", smsCodeTtlMs, "NX")) === "OK";
}

/** Checks a code; `passed` consumes it. */
export async function redeemCode(redis: RedisState["redis"], phone: string, code: string): Promise<Redeemed> {
  return (await redis.eval(redeemScript, 1, keyOf(phone), code, smsWrongTries)) as Redeemed;
}
