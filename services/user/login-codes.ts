import { randomInt } from "node:crypto";
import { limits } from "../../config/limits.ts";
import type { RedisState } from "../../mixins/redis.mixin.ts";

const { smsCodeDigits, smsCodeTtlMs, smsWrongTries } = limits.user;

/**
 * Purpose: look at a phone's code and act on it in one step, so that of parallel logins with the right code one passes.
 * The right code is consumed: its key goes away, and with it the wait for the next code. A wrong try is counted; the
 * last one allowed burns the code, whose key stays until its time is over, so that burning does not buy another code.
 * KEYS[1] the phone's code, stored as `code:wrongTries`. ARGV[1] the code given, ARGV[2] wrong tries that burn.
 * Replies `passed`, `wrong`, or `expired` (never sent, run out, consumed or burned).
 */
const redeemScript = `
local stored = redis.call('GET', KEYS[1])
if not stored then return 'expired' end
local code, tries = string.match(stored, '^(%d+):(%d+)$')
tries = tonumber(tries)
if tries >= tonumber(ARGV[2]) then return 'expired' end
if code == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 'passed'
end
local left = redis.call('PTTL', KEYS[1])
redis.call('SET', KEYS[1], code .. ':' .. (tries + 1), 'PX', math.max(1, left))
return 'wrong'`;

export type Redeemed = "passed" | "wrong" | "expired";

const keyOf = (phone: string) => `user:login-code:${phone}`;

/** A new code; `limits.user.smsCodeDigits` digits, leading zeros among them. */
export function newLoginCode(): string {
  return String(randomInt(10 ** smsCodeDigits)).padStart(smsCodeDigits, "0");
}

/** Keeps the code for its life. `false` where another still lives: parallel requests get one `true`. */
export async function keepCode(redis: RedisState["redis"], phone: string, code: string): Promise<boolean> {
  return (await redis.set(keyOf(phone), `${code}:0`, "PX", smsCodeTtlMs, "NX")) === "OK";
}

/** Tries a code. Once it answered `passed`, that code passes never again. */
export async function redeemCode(redis: RedisState["redis"], phone: string, code: string): Promise<Redeemed> {
  return (await redis.eval(redeemScript, 1, keyOf(phone), code, smsWrongTries)) as Redeemed;
}
