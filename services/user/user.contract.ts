import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { erasureActions } from "../erasure.contract.ts";
import { eventTime, externalId, integer, spelledOut, text, userId } from "../fields.ts";
import type { FeedPage } from "../row-feed.ts";
import { restrictionActions, restrictionBroadcasts, restrictionEvents } from "./restrictions.contract.ts";
import { userStaffActions } from "./staff.contract.ts";

/** The user service as other services see it. */
export interface UserProfile {
  userId: string;
  nickName: string;
  avatar: string;
}

/** A user of the platform, by both ids. */
export interface ExternalUser {
  externalId: string;
  userId: string;
}

/** A field of the login form. A missing one becomes "": the service's own rules refuse both alike. */
const typed = z.preprocess(spelledOut, z.string().max(64)).default("");
const token = z.string();
/** The key of a client's address for limits (services/client-address.ts), of the request that the caller serves. */
const address = z.string().max(64).default("");

/** ms since 1970, up to the last one that a DATETIME holds. */
const timeMs = integer(0, Date.UTC(10_000, 0) - 1);

/**
 * Revoked tokens of a user: the one of a session, or with session id 0 all that were issued until `issuedUntil` (ms, as
 * in the token). All of them have expired at `expiresAt`, ms since 1970. A revocation may arrive many times.
 */
export const revocation = z.object({ userId, sessionId: integer(0), issuedUntil: timeMs, expiresAt: timeMs });
export type Revocation = z.output<typeof revocation>;

export const userActions = {
  ...userStaffActions,
  /** Of the person: phone, names, the id at the platform, sessions, login codes, reasons of restrictions. */
  eraseUser: erasureActions.eraseUser,
  /**
   * Sends a login code to a phone; `devCode` only where the SMS provider is the local console. Fails: phoneMissing,
   * phoneMalformed, smsTooOften; smsPhoneLimit and smsBudgetSpent until midnight in Beijing; unavailable. Where it was
   * certainly not sent, another code may be requested at once. Where nobody knows (`mayHaveHappened`), it counts as
   * sent and is valid if it arrives.
   */
  sendLoginCode: action({ phone: typed, address }).returns<{ devCode?: string }>(),
  /**
   * Consumes the code (exactly once), registers an unknown phone, opens a session and returns a signed token. Checks
   * the phone, then the form of the code, then the code. After a consumed code the next one may be requested at once,
   * after a burned one not. A login that was not answered, or with `unavailable`, may be repeated: it succeeds, or
   * fails with smsCodeExpired where the code was consumed. A code is burned for an address that has tried
   * `limits.user.smsWrongTries` wrong ones. Strangers together cannot burn it for the address that requested it, nor
   * for one that logged in with the phone within `limits.user.smsAddressKnownDays`. Fails: phoneMissing,
   * phoneMalformed, smsCodeMalformed, smsCodeExpired, smsCodeWrong.
   */
  login: action({ phone: typed, code: typed, address }).returns<{ userId: string; token: string }>(),
  /**
   * Ends the session of a token that the caller has verified. Returns the revocation, which is durable then; `null`
   * where the token is invalid, has expired, or was issued more than `limits.user.issuedAheadMs` in the future. Fails:
   * unavailable, also where this node has another key for the token; it may be repeated.
   */
  logout: action({ token }).returns<Revocation | null>(),
  /**
   * Revokes one login that is no own token (a JWT of the platform), by the claims that the caller has verified; durable
   * when it returns. Fails: invalidParam, where it would be kept for longer than an own token's; unavailable. It may be
   * repeated.
   */
  revokeLogin: action({ userId, sessionId: integer(1), issuedAt: timeMs, expiresAt: timeMs }).returns<Revocation>(),
  /**
   * Revokes all tokens of the user that were issued until now; durable when it returns. A login that begins after it
   * has returned is not affected. Fails: userUnknown, unavailable; it may be repeated.
   */
  logoutAll: action({ userId }).returns<Revocation>(),
  /**
   * The revocations that were written at `since` (ms of the database's clock) or later; 0: all whose tokens may be
   * valid. Pages follow by `next`. To miss none, a later read begins `limits.user.feedOverlapMs` before the `now`
   * of the first page of the read before it. Fails: unavailable.
   */
  revocations: action({
    since: timeMs,
    afterId: z
      .string()
      .regex(/^\d{1,20}$/)
      .default("0"),
  }).returns<FeedPage<Revocation>>(),
  /**
   * The user with this id at the platform; an unknown id becomes a user, who is durable when it returns. However many
   * calls for one id run at once, on any nodes, one of them makes the user and has `created`. Given names are written
   * where they differ; an avatar of "" is none. `issuedAt`: of the JWT that names the user, ms since 1970; without one
   * it is a write of the platform. Fails: notLoggedIn, where the user of a JWT of that time was erased; unavailable; it may
   * be repeated.
   */
  ofExternal: action({
    externalId,
    nickName: text(1, limits.user.nickNameChars).optional(),
    avatar: text(0, limits.user.avatarChars).optional(),
    issuedAt: timeMs.optional(),
  }).returns<{ userId: string; created: boolean }>(),
  /** The users among these ids of the platform, in no order. Fails: unavailable. */
  idsOfExternal: action({
    externalIds: z.array(externalId).min(1).max(limits.user.externalIdsPerCall),
  }).returns<{ list: ExternalUser[] }>(),
  /** The users among these that have an id at the platform, in no order. Fails: unavailable. */
  externalIdsOf: action({ userIds: z.array(userId).min(1).max(limits.user.externalIdsPerCall) }).returns<{
    list: ExternalUser[];
  }>(),
  /** Fails: userUnknown. */
  profile: action({ userId }).returns<UserProfile>(),
  /** The profiles of the users among these, in no order. */
  profiles: action({ userIds: z.array(userId).min(1).max(limits.user.profilesPerCall) }).returns<{
    list: UserProfile[];
  }>(),
  ...restrictionActions,
};

export const userEvents = {
  /** A phone, or with `externalId` a user of the platform, was registered. */
  "user.registered": z.object({ userId, externalId: externalId.optional(), time: eventTime }),
  /** Two persons of the staff had a user erased: phone, names and the id at the platform are gone here. */
  "user.erased": z.object({ userId, externalId: externalId.optional(), time: eventTime }),
  ...restrictionEvents,
};

export const userBroadcasts = {
  /** Tokens were revoked: refuse them. Gateways also poll `user.revocations`, so it may be lost. */
  "user.tokens-revoked": z.object({ list: z.array(revocation).min(1) }),
  /** A user was erased: forget names and ids at the platform, and end the connection. Caches forget them in time anyway. */
  "user.erased": z.object({ userId }),
  ...restrictionBroadcasts,
};
