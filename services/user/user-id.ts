const epochMs = Date.UTC(2024, 0, 1);
const randomBits = 22n;

/** The number of ids that can be made in one millisecond. */
export const randomPartsOfUserId = 2 ** Number(randomBits);

/**
 * A user id as a decimal string: the ms since 2024, followed by 22 random bits. So ids exceed 2^53, fit a signed BIGINT
 * until 2093, grow with time and cannot be guessed by counting. Two ids of one ms may be equal: the primary key refuses
 * the second, and the caller makes another.
 * @throws RangeError where the clock stands before 2025 (such an id could be below 2^53) or `random` is out of range.
 */
export function userIdOf(nowMs: number, random: number): string {
  if (nowMs < Date.UTC(2025, 0, 1)) throw new RangeError(`the clock is wrong: ${new Date(nowMs).toISOString()}`);
  if (!Number.isInteger(random) || random < 0 || random >= randomPartsOfUserId)
    throw new RangeError(`not a random part of a user id: ${random}`);
  return ((BigInt(Math.trunc(nowMs) - epochMs) << randomBits) | BigInt(random)).toString();
}

/** The first nick name of a user. It reveals nothing of the phone. */
export function firstNickName(userId: string): string {
  return `旗鱼用户-${userId.slice(-6)}`;
}
