import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { operator, reason, text, userId } from "../fields.ts";

/**
 * What staff look up of users. Of a phone its last digits alone (`limits.lookup.phoneEndShown`) leave the user service;
 * `phoneOf` is the one exception.
 */

/** A user as staff see them in a list. */
export interface FoundUser {
  userId: string;
  nickName: string;
  /** The user's id at the platform; `null` where there is none. */
  externalId: string | null;
  /** The last digits of the phone; `null` where there is none. */
  phoneEnd: string | null;
  /** What of the user the search is. */
  by: "userId" | "externalId" | "phone" | "phoneEnd";
}

export interface StaffProfile {
  userId: string;
  externalId: string | null;
  nickName: string;
  avatar: string;
  phoneEnd: string | null;
  registeredTime: string;
  /** When the person was erased; `null`: was not. */
  erasedTime: string | null;
  /** How many sessions have not ended. */
  sessions: number;
}

/** A session that has not ended. */
export interface OpenSession {
  sessionId: string;
  createTime: string;
  expiresTime: string;
}

export const userStaffActions = {
  /**
   * Users by the user id, the id at the platform, and the last 4 digits of the phone; where the person `mayPhone` also by
   * up to 8 of them, or the phone in full: all that fit, those of the first kind first. `more`: more than `limits.lookup.usersFound` phones have this end, and the others are left out.
   * Fails: unavailable.
   */
  find: action({ q: text(1, limits.lookup.queryChars), mayPhone: z.boolean() }).returns<{
    list: FoundUser[];
    more: boolean;
  }>(),
  /** Fails: userUnknown, unavailable. */
  profileForStaff: action({ userId }).returns<StaffProfile>(),
  /**
   * The phone in full, `null` where the user has none. The caller has written the audit row; operator and reason are for
   * the log, which has no digit of the phone. Fails: userUnknown, unavailable.
   */
  phoneOf: action({ userId, operator, reason }).returns<{ phone: string | null }>(),
  /** The user's sessions, newest first: at the most `limits.user.tokensPerUser`. A JWT of the platform has none here. */
  sessionsOf: action({ userId }).returns<{ list: OpenSession[] }>(),
  /**
   * Ends all sessions of a user by a decision of staff, as `logoutAll` does: durable when it returns, in force on every
   * gateway within a second. `ended`: how many there were. The log has operator and reason. Fails: userUnknown,
   * unavailable; it may be repeated.
   */
  endSessionsForStaff: action({ userId, operator, reason }).returns<{ ended: number }>(),
};
