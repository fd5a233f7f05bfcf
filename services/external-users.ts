import { LRUCache } from "lru-cache";
import { limits } from "../config/limits.ts";
import { BatchLoader } from "../mixins/batch-loader.ts";
import type { ExternalUser } from "./user/user.contract.ts";

const { externalIdCalls, externalIdsKept, externalIdsPerCall, externalIdTtlMs, externalIdUnknownMs } = limits.user;

interface Calls {
  /** `user.idsOfExternal`: the users among at most `limits.user.externalIdsPerCall`. */
  idsOfExternal(externalIds: string[]): Promise<{ list: ExternalUser[] }>;
  /** `user.externalIdsOf`, likewise. */
  externalIdsOf(userIds: string[]): Promise<{ list: ExternalUser[] }>;
}

/** One direction of the mapping. */
class Direction {
  private readonly known = new LRUCache<string, string>({ max: externalIdsKept, ttl: externalIdTtlMs });
  /** Those without a value, kept briefly; `undefined`: such a one is asked for each time. */
  private readonly unknown: LRUCache<string, true> | undefined;
  private readonly loader: BatchLoader<string>;

  constructor(load: (keys: string[]) => Promise<ReadonlyMap<string, string>>, keep: { unknown: boolean }) {
    if (keep.unknown) this.unknown = new LRUCache({ max: externalIdsKept, ttl: externalIdUnknownMs });
    this.loader = new BatchLoader(load, { keys: externalIdsPerCall, queries: externalIdCalls });
  }

  learn(key: string, value: string): void {
    this.known.set(key, value);
    this.unknown?.delete(key);
  }

  forget(key: string): void {
    this.known.delete(key);
  }

  /** What is known without a call. */
  peek(key: string): string | undefined {
    return this.known.get(key);
  }

  of(key: string): string | undefined | Promise<string | undefined> {
    const known = this.known.get(key);
    if (known !== undefined || this.unknown?.has(key)) return known;
    return this.load(key);
  }

  async ofAll(keys: readonly string[]): Promise<Map<string, string>> {
    const different = [...new Set(keys)];
    const values = await Promise.all(different.map((key) => this.of(key)));
    return new Map(
      different.flatMap((key, at) => {
        const value = values[at];
        return value === undefined ? [] : [[key, value] as const];
      }),
    );
  }

  private async load(key: string): Promise<string | undefined> {
    const value = await this.loader.get(key);
    if (value === undefined) this.unknown?.set(key, true);
    return value;
  }
}

/**
 * The ids of users at the platform, in both directions. A mapping lasts until its user is erased, so what is known needs
 * no call for `limits.user.externalIdTtlMs`; many unknown ones are asked for with one call. That an external id has no user is asked for each time: a platform makes the
 * user and goes on at once, and the refusal of a write is kept. All methods reject with the failure of the user service
 * (`unavailable`).
 */
export class ExternalUsers {
  private readonly users: Direction;
  private readonly externals: Direction;

  constructor(calls: Calls) {
    this.users = new Direction(
      async (externalIds) => {
        const { list } = await calls.idsOfExternal(externalIds);
        for (const user of list) this.learn(user);
        return new Map(list.map(({ externalId, userId }) => [externalId, userId]));
      },
      { unknown: false },
    );
    this.externals = new Direction(
      async (userIds) => {
        const { list } = await calls.externalIdsOf(userIds);
        for (const user of list) this.learn(user);
        return new Map(list.map(({ externalId, userId }) => [userId, externalId]));
      },
      { unknown: true },
    );
  }

  /** Remembers a user whom the caller has from elsewhere. */
  learn({ externalId, userId }: ExternalUser): void {
    this.users.learn(externalId, userId);
    this.externals.learn(userId, externalId);
  }

  /** A user was erased: who comes with the same external id is another one. */
  forgetUser(userId: string): void {
    const externalId = this.externals.peek(userId);
    if (externalId === undefined) return;
    this.externals.forget(userId);
    this.users.forget(externalId);
  }

  /** The user of an external id where this node knows her, without a call. */
  knownUserIdOf(externalId: string): string | undefined {
    return this.users.peek(externalId);
  }

  /** `undefined` where no user has the external id. */
  async userIdOf(externalId: string): Promise<string | undefined> {
    return this.users.of(externalId);
  }

  /** By external id; those without a user are left out. */
  userIdsOf(externalIds: readonly string[]): Promise<Map<string, string>> {
    return this.users.ofAll(externalIds);
  }

  /** By user id; users without an external id are left out. */
  externalIdsOf(userIds: readonly string[]): Promise<Map<string, string>> {
    return this.externals.ofAll(userIds);
  }
}
