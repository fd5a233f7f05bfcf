import { z } from "zod";
import { action } from "../action-contract.ts";
import { isoTime, spelledOut, userId } from "../fields.ts";

/** What other services may use of the user service. */
export interface UserProfile {
  userId: string;
  nickName: string;
  avatar: string;
}

/** What the user typed at the login; what is missing arrives as "": the service's own rules answer for both. */
const typed = z.preprocess(spelledOut, z.string().max(64)).default("");
const token = z.string();

export const userActions = {
  /**
   * Sends a login code to a phone; `devCode` only where the SMS provider is the local console.
   * Fails: phoneMissing, phoneMalformed, smsTooOften; unavailable where it was not sent, and then another may be asked
   * for at once.
   */
  sendLoginCode: action({ phone: typed }).returns<{ devCode?: string }>(),
  /**
   * Consumes the code (exactly once), registers an unknown phone, opens a session. Looks at the phone, then at the
   * form of the code, then at the code. A consumed code ends the wait for the next one, a burned one does not.
   * A repeat of one that was not answered, or was with `unavailable`, does no harm: it logs in, or fails with
   * smsCodeExpired where the code was consumed, and then another may be asked for at once.
   * Fails: phoneMissing, phoneMalformed, smsCodeMalformed, smsCodeExpired, smsCodeWrong.
   */
  login: action({ phone: typed, code: typed }).returns<{ userId: string; token: string }>(),
  /** Ends the session of a token; unknown tokens are fine. The token is dead when it returns. */
  logout: action({ token }).returns<null>(),
  /** Who a token belongs to, `null` where nobody. Fails: unavailable, where sessions cannot be read. */
  authenticate: action({ token }).returns<{ userId: string } | null>(),
  /** Fails: userUnknown. */
  profile: action({ userId }).returns<UserProfile>(),
};

export const userEvents = {
  /** A phone was registered as a user. */
  "user.registered": z.object({ userId, time: isoTime }),
};
