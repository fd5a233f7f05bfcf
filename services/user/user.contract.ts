import { z } from "zod";
import { action } from "../action-contract.ts";
import { eventTime, spelledOut, userId } from "../fields.ts";

/** The user service as other services see it. */
export interface UserProfile {
  userId: string;
  nickName: string;
  avatar: string;
}

/** A field of the login form. A missing one becomes "": the service's own rules refuse both alike. */
const typed = z.preprocess(spelledOut, z.string().max(64)).default("");
const token = z.string();

export const userActions = {
  /**
   * Sends a login code to a phone; `devCode` only where the SMS provider is the local console. Fails: phoneMissing,
   * phoneMalformed, smsTooOften; unavailable where it was not sent: another code may be requested at once.
   */
  sendLoginCode: action({ phone: typed }).returns<{ devCode?: string }>(),
  /**
   * Consumes the code (exactly once), registers an unknown phone, opens a session. Checks the phone, then the form of
   * the code, then the code. After a consumed code the next one may be requested at once, after a burned one not. A
   * login that was not answered, or with `unavailable`, may be repeated: it succeeds, or fails with smsCodeExpired where
   * the code was consumed.
   * Fails: phoneMissing, phoneMalformed, smsCodeMalformed, smsCodeExpired, smsCodeWrong.
   */
  login: action({ phone: typed, code: typed }).returns<{ userId: string; token: string }>(),
  /** Ends the session of a token before it returns; an unknown token is fine. */
  logout: action({ token }).returns<null>(),
  /** The user of a token, `null` where it has no session. Fails: unavailable, where sessions cannot be read. */
  authenticate: action({ token }).returns<{ userId: string } | null>(),
  /** Fails: userUnknown. */
  profile: action({ userId }).returns<UserProfile>(),
};

export const userEvents = {
  /** A phone was registered as a user. */
  "user.registered": z.object({ userId, time: eventTime }),
};
