import { randomInt } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../mixins/mysql/database.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { isOfErased } from "./erasure.ts";
import { insertExternal, profilesOfExternal } from "./external-user-store.ts";
import type { UserProfile } from "./user.contract.ts";
import { firstNickName, randomPartsOfUserId, userIdOf } from "./user-id.ts";
import { insertPhone, insertUser, updateNames, userIdByPhone } from "./user-store.ts";

const attempts = 5;

type Store = { mysql: Database } & OutboxState;

interface Names {
  readonly nickName?: string | undefined;
  readonly avatar?: string | undefined;
}

/** By what a user is known, and what the new user has. */
interface Registration {
  find(): Promise<string | undefined>;
  /** Writes the unique row by which the user is known. Fails with a duplicate key where there is one. */
  insertKey(tx: Transaction, userId: string): Promise<void>;
  readonly names: Names;
  readonly externalId?: string;
  readonly requestId: string | null;
}

/**
 * The user, registered where unknown; user, key and event are durable when it returns. The unique key decides: of
 * parallel registrations, on any nodes, one makes the user, and all get her.
 */
async function findOrMake(
  { mysql, outbox }: Store,
  { find, insertKey, names, externalId, requestId }: Registration,
): Promise<{ userId: string; registered: boolean }> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const known = await find();
    if (known !== undefined) return { userId: known, registered: false };
    const userId = userIdOf(Date.now(), randomInt(randomPartsOfUserId));
    const { nickName = firstNickName(userId), avatar = "" } = names;
    try {
      await mysql.transaction(async (tx) => {
        await insertKey(tx, userId);
        await insertUser(tx, { userId, nickName, avatar });
        const data = { userId, ...(externalId === undefined ? {} : { externalId }), time: new Date().toISOString() };
        await outbox.add(tx, { ...durableEvent("user.registered", userId, data), orderKey: userId, requestId });
      });
      outbox.wake();
      return { userId, registered: true };
    } catch (error) {
      // Another request registered the key, which the next attempt reads, or the user id is taken: a new one is made.
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw fail("unavailable", { what: "registration", attempts });
}

/** The user of a phone: see `findOrMake`. */
export function findOrRegister(
  store: Store,
  phone: string,
  requestId: string | null,
): Promise<{ userId: string; registered: boolean }> {
  return findOrMake(store, {
    find: () => userIdByPhone(store.mysql, phone),
    insertKey: (tx, userId) => insertPhone(tx, userId, phone),
    names: {},
    requestId,
  });
}

/** Finds and registers the platform's users. Requests of one node for one unknown external id share a registration. */
export class ExternalRegistration {
  private readonly store: Store & { readonly tokenKeys: NamedKeys };
  private readonly running = new Map<string, Promise<unknown>>();

  /** Lookups at the same time share a query, e.g. when everybody comes back at once. */
  private readonly profiles: BatchLoader<UserProfile>;

  constructor(store: ExternalRegistration["store"]) {
    this.store = store;
    const load = (externalIds: string[]) => profilesOfExternal(store.mysql, externalIds);
    const { externalIdsPerCall: keys, externalIdCalls: queries } = limits.user;
    this.profiles = new BatchLoader(load, { keys, queries });
  }

  /**
   * The user of an external id: see `findOrMake`. Given names are durable too. Fails: notLoggedIn, where the user of a JWT
   * that was issued at `issuedAt` is erased.
   */
  async of(
    { externalId, issuedAt, ...names }: Names & { readonly externalId: string; readonly issuedAt?: number | undefined },
    requestId: string | null,
  ): Promise<{ userId: string; created: boolean }> {
    const { mysql, tokenKeys } = this.store;
    for (;;) {
      const known = await this.profiles.get(externalId);
      if (known) {
        const { nickName = known.nickName, avatar = known.avatar } = names;
        if (nickName !== known.nickName || avatar !== known.avatar) await updateNames(mysql, known.userId, names);
        return { userId: known.userId, created: false };
      }
      if (issuedAt !== undefined && (await isOfErased(mysql, tokenKeys, { externalId, issuedAt })))
        throw fail("notLoggedIn");
      const other = this.running.get(externalId);
      if (!other) {
        const { userId, registered } = await this.register(externalId, names, requestId);
        if (registered) return { userId, created: true };
      } else await other;
      // Somebody else made the user, perhaps with other names.
    }
  }

  private register(externalId: string, names: Names, requestId: string | null) {
    const running = findOrMake(this.store, {
      find: async () => (await this.profiles.get(externalId))?.userId,
      insertKey: (tx, userId) => insertExternal(tx, { externalId, userId }),
      names,
      externalId,
      requestId,
    }).finally(() => this.running.delete(externalId));
    this.running.set(externalId, running);
    return running;
  }
}
