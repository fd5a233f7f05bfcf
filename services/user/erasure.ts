import { createHmac } from "node:crypto";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { NamedKey, NamedKeys } from "../../config/named-keys.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { eraseSent } from "../../mixins/outbox/erase-sent.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import { insertErasedName, lockPerson, wasErasedSince } from "./erasure-store.ts";
import { deleteExternalOf } from "./external-user-store.ts";
import { writingForFeed } from "./feed-writes.ts";
import { eraseReasonsOf, insertChange, insertRestriction, restrictionById } from "./restriction-store.ts";
import type { Restriction } from "./restrictions.contract.ts";
import { deleteSessionsOf, writeRevocation } from "./session-store.ts";
import { deleteDaysOf } from "./sms-day-store.ts";
import { deleteCodesOf } from "./sms-store.ts";
import type { Revocation } from "./user.contract.ts";
import { eraseNames } from "./user-store.ts";

/** What nodes must know of an erasure at once. */
export interface Erased {
  readonly revocation: Revocation;
  /** `null` in a repeat. */
  readonly ban: Restriction | null;
}

/** What an erased user is called from then on. */
export const erasedNickName = "已注销用户";

/** What is kept of an erased user's id at the platform: a hash that needs a key of the login tokens. */
function erasedNameOf({ secret }: NamedKey, externalId: string): string {
  const text = `ovation erased user v1\n${config().NAMESPACE}\n${externalId}`;
  return createHmac("sha256", secret).update(text).digest("base64url");
}

/** Whether a JWT of this id at the platform is of an erased user: it was issued before the erasure. */
export function isOfErased(
  mysql: Database,
  keys: NamedKeys,
  { externalId, issuedAt }: { externalId: string; issuedAt: number },
): Promise<boolean> {
  // By all keys, since they may have been changed since then.
  const names = [...keys.all.values()].map((key) => erasedNameOf(key, externalId));
  return wasErasedSince(mysql, names, issuedAt);
}

/**
 * Erases the person of a user: see `user.eraseUser`. In one transaction with the event: names, phone, login codes and
 * their addresses, the id at the platform, sessions, and what was written about the user. It revokes every token and JWT,
 * also those that the platform issues within `limits.user.tokenTtlMs`: a gateway that still takes the id at the platform for
 * this user refuses them, and asks again. A ban of `limits.user.erasureBanMs` ends the connection of the user to a room. A
 * repeat revokes once more. Fails: userUnknown, unavailable.
 */
export async function erasePerson(
  { mysql, outbox }: { mysql: Database } & OutboxState,
  { signing }: NamedKeys,
  { userId, requestId }: { userId: string; requestId: string | null },
): Promise<Erased> {
  const [done] = await writingForFeed<Erased>(
    mysql,
    async (tx) => {
      const { phones, externalId, erased, now } = await lockPerson(tx, userId);
      const expiresAt = now + limits.user.tokenTtlMs;
      for (const phone of phones) {
        await deleteCodesOf(tx, phone);
        await deleteDaysOf(tx, phone);
      }
      await eraseNames(tx, userId, erasedNickName);
      await deleteExternalOf(tx, userId);
      await eraseReasonsOf(tx, userId);
      await eraseSent(tx, [userId]);
      if (externalId !== null) {
        const name = erasedNameOf(signing, externalId);
        // The platform's clock dates its JWTs.
        const issuedUntil = now + limits.jwt.leewayMs;
        await insertErasedName(tx, { userId, name, issuedUntil, expiresAt: issuedUntil + limits.user.tokenTtlMs });
      }
      let ban: Restriction | null = null;
      if (!erased) {
        const until = now + limits.user.erasureBanMs;
        const placed = { userId, kind: "ban", roomId: null, until, reason: "", by: "erasure", writeId: null } as const;
        const restrictionId = await insertRestriction(tx, placed);
        await insertChange(tx, restrictionId);
        ban = (await restrictionById(tx, restrictionId)) as Restriction;
        const data = { userId, ...(externalId === null ? {} : { externalId }), time: new Date(now).toISOString() };
        await outbox.add(tx, { ...durableEvent("user.erased", userId, data), orderKey: userId, requestId });
      }
      await deleteSessionsOf(tx, userId);
      const all = { userId, sessionId: 0, issuedUntil: expiresAt, expiresAt };
      await writeRevocation(tx, all);
      return [{ revocation: all, ban }];
    },
    async (tx, { revocation, ban }) => {
      await writeRevocation(tx, revocation);
      if (ban) await insertChange(tx, ban.restrictionId);
    },
  );
  outbox.wake();
  return done as Erased;
}
