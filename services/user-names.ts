import { LRUCache } from "lru-cache";
import type { Log } from "../broker/log.ts";
import { limits } from "../config/limits.ts";
import type { UserProfile } from "./user/user.contract.ts";

export type ShownUser = Pick<UserProfile, "nickName" | "avatar">;

interface Parts {
  /** The profiles of the users among these: `limits.user.profilesPerCall` at most. */
  load(userIds: string[]): Promise<UserProfile[]>;
  readonly log: Pick<Log, "warn">;
}

/** Of a user without a profile, or whose profile is not known in time. */
export const unnamed: ShownUser = { nickName: "", avatar: "" };

/**
 * Names and avatars of users who are shown in lists, kept for `limits.user.nameTtlMs`. Many are asked for with one call,
 * and one who is asked for already is waited for. After the user service failed it is not asked for
 * `limits.user.namePauseMs`.
 */
export class UserNames {
  private readonly parts: Parts;
  private readonly known = new LRUCache<string, ShownUser>({
    max: limits.user.namesKept,
    ttl: limits.user.nameTtlMs,
  });
  /** The running calls by the users they ask for. */
  private readonly asked = new Map<string, Promise<void>>();
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Never rejects. Who is not known when `deadline` resolves is `unnamed`. */
  async of(userIds: readonly string[], deadline: Promise<unknown>): Promise<Map<string, ShownUser>> {
    const unknown = [...new Set(userIds)].filter((userId) => !this.known.has(userId));
    const missing = unknown.filter((userId) => !this.asked.has(userId));
    if (performance.now() - this.failedAt > limits.user.namePauseMs)
      for (let from = 0; from < missing.length; from += limits.user.profilesPerCall)
        this.ask(missing.slice(from, from + limits.user.profilesPerCall));
    const waits = new Set(unknown.flatMap((userId) => this.asked.get(userId) ?? []));
    if (waits.size > 0) await Promise.race([Promise.all(waits), deadline]);
    return new Map(userIds.map((userId) => [userId, this.known.get(userId) ?? unnamed]));
  }

  private ask(userIds: string[]): void {
    const call = this.load(userIds).finally(() => {
      for (const userId of userIds) this.asked.delete(userId);
    });
    for (const userId of userIds) this.asked.set(userId, call);
  }

  /** Never rejects. */
  private async load(userIds: string[]): Promise<void> {
    try {
      const found = await this.parts.load(userIds);
      // A user without a profile is not asked for again and again.
      for (const userId of userIds) this.known.set(userId, unnamed);
      for (const { userId, nickName, avatar } of found) this.known.set(userId, { nickName, avatar });
    } catch (err) {
      this.failedAt = performance.now();
      this.parts.log.warn({ err, users: userIds.length }, "users are shown without names: the user service failed");
    }
  }
}
