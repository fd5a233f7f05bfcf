import { LRUCache } from "lru-cache";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import type { UserProfile } from "../user/user.contract.ts";

interface Parts {
  /** The profiles of the users among these. */
  load(userIds: string[]): Promise<UserProfile[]>;
  readonly log: Pick<Log, "warn">;
}

/** Of a user without a profile, or whose profile is not known in time. */
const unknown = { nickName: "", avatar: "" };

/**
 * Names and avatars for lists, from the user service, reused for `limits.rank.profileCacheMs`. A list waits for those
 * that are missing for a moment alone, and not at all after the user service failed: it is answered without them.
 */
export class Profiles {
  private readonly parts: Parts;
  private readonly known = new LRUCache<string, UserProfile>({
    max: limits.rank.profilesCached,
    ttl: limits.rank.profileCacheMs,
  });
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** The names and avatars of the users; empty where they are not known in time. At most one call. Never rejects. */
  async of(userIds: readonly string[]): Promise<Map<string, Pick<UserProfile, "nickName" | "avatar">>> {
    const missing = [...new Set(userIds)].filter((userId) => !this.known.has(userId));
    if (missing.length > 0 && performance.now() - this.failedAt > limits.rank.profilePauseMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limits.rank.profileWaitMs);
      });
      await Promise.race([this.load(missing), late]);
      clearTimeout(timer);
    }
    return new Map(userIds.map((userId) => [userId, this.known.get(userId) ?? unknown]));
  }

  private async load(userIds: string[]): Promise<void> {
    try {
      const found = await this.parts.load(userIds);
      // A user without a profile is not asked for again and again.
      for (const userId of userIds) this.known.set(userId, { userId, ...unknown });
      for (const profile of found) this.known.set(profile.userId, profile);
    } catch (err) {
      this.failedAt = performance.now();
      this.parts.log.warn({ err, users: userIds.length }, "ranks are answered without names: the user service failed");
    }
  }
}
