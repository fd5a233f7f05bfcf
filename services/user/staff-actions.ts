import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { ActionDefinitions } from "../define-service.ts";
import { announceRevocations } from "./announcement.ts";
import { usersOfExternal } from "./external-user-store.ts";
import { type KnownUser, knownUsers, openSessions, userIdsByPhoneEnd } from "./lookup-store.ts";
import { kindsOf, shownEnd } from "./search.ts";
import { endAllSessions } from "./sessions.ts";
import type { FoundUser, userStaffActions } from "./staff.contract.ts";
import { userIdByPhone } from "./user-store.ts";

async function requireUser({ mysql }: MysqlState, userId: string): Promise<KnownUser> {
  const [user] = await knownUsers(mysql, [userId]);
  if (!user) throw fail("userUnknown", { userId });
  return user;
}

/** The users that the text stands for, if it is of this kind. */
async function userIdsBy({ mysql }: MysqlState, by: FoundUser["by"], q: string): Promise<string[]> {
  switch (by) {
    case "userId":
      return [q];
    case "externalId":
      return (await usersOfExternal(mysql, [q])).map(({ userId }) => userId);
    case "phone": {
      const userId = await userIdByPhone(mysql, q);
      return userId === undefined ? [] : [userId];
    }
    case "phoneEnd":
      return userIdsByPhoneEnd(mysql, q);
  }
}

const phoneEndOf = ({ phone }: KnownUser) => (phone === null ? null : shownEnd(phone));

/** What staff look up of users, and their decisions about sessions. */
export const staffActions: ActionDefinitions<Service & MysqlState, typeof userStaffActions> = {
  find: {
    async handler(ctx) {
      const { q, mayPhone } = ctx.params;
      const hits = await Promise.all(
        kindsOf(q, mayPhone).map(async (by) => {
          const userIds = await userIdsBy(this, by, q);
          return userIds.map((userId) => ({ userId, by }));
        }),
      );
      const kinds = new Map<string, FoundUser["by"]>();
      for (const { userId, by } of hits.flat()) if (!kinds.has(userId)) kinds.set(userId, by);
      const known = await knownUsers(this.mysql, [...kinds.keys()]);
      const users = new Map(known.map((user) => [user.userId, user]));
      const found = [...kinds].flatMap(([userId, by]) => {
        const user = users.get(userId);
        if (!user) return [];
        const { nickName, externalId } = user;
        return [{ userId, nickName, externalId, phoneEnd: phoneEndOf(user), by }];
      });
      const list = found.slice(0, limits.lookup.usersFound);
      return { list, more: found.length > list.length };
    },
  },

  profileForStaff: {
    async handler(ctx) {
      const user = await requireUser(this, ctx.params.userId);
      const sessions = await openSessions(this.mysql, user.userId);
      const { userId, externalId, nickName, avatar } = user;
      return {
        ...{ userId, externalId, nickName, avatar, phoneEnd: phoneEndOf(user) },
        registeredTime: user.createTime.toISOString(),
        erasedTime: user.erasedTime?.toISOString() ?? null,
        sessions: sessions.length,
      };
    },
  },

  phoneOf: {
    async handler(ctx) {
      const { userId, operator, reason } = ctx.params;
      const { phone } = await requireUser(this, userId);
      this.logger.info({ userId, operator, reason, requestId: ctx.requestID }, "staff see the phone of a user");
      return { phone };
    },
  },

  sessionsOf: {
    async handler(ctx) {
      const sessions = await openSessions(this.mysql, ctx.params.userId);
      const list = sessions.map(({ sessionId, issuedMs, expiresTime }) => ({
        ...{ sessionId, createTime: new Date(issuedMs).toISOString(), expiresTime: expiresTime.toISOString() },
      }));
      return { list };
    },
  },

  endSessionsForStaff: {
    async handler(ctx) {
      const { userId, operator, reason } = ctx.params;
      const { length: ended } = await openSessions(this.mysql, userId);
      await announceRevocations(this, await endAllSessions(this.mysql, userId));
      const about = { userId, ended, operator, reason, requestId: ctx.requestID };
      this.logger.info(about, "all tokens of the user are revoked by a decision of staff");
      return { ended };
    },
  },
};
