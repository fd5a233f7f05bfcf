import { userIdPattern } from "../user-id-pattern.ts";

/** What other services may use of the user service. */
export interface UserProfile {
  userId: string;
  nickName: string;
  avatar: string;
}

export interface UserActions {
  /**
   * Sends a login code to a phone; `devCode` only where the SMS provider is the local console.
   * Fails: phoneMissing, phoneMalformed, smsTooOften; unavailable where it was not sent, and then another may be asked
   * for at once.
   */
  sendLoginCode: { params: { phone: string }; result: { devCode?: string } };
  /**
   * Consumes the code (exactly once), registers an unknown phone, opens a session. Looks at the phone, then at the
   * form of the code, then at the code. A consumed code ends the wait for the next one, a burned one does not.
   * A repeat of one that was not answered, or was with `unavailable`, does no harm: it logs in, or fails with
   * smsCodeExpired where the code was consumed, and then another may be asked for at once.
   * Fails: phoneMissing, phoneMalformed, smsCodeMalformed, smsCodeExpired, smsCodeWrong.
   */
  login: { params: { phone: string; code: string }; result: { userId: string; token: string } };
  /** Ends the session of a token; unknown tokens are fine. The token is dead when it returns. */
  logout: { params: { token: string }; result: null };
  /** Who a token belongs to, `null` where nobody. Fails: unavailable, where sessions cannot be read. */
  authenticate: { params: { token: string }; result: { userId: string } | null };
  /** Fails: userUnknown. */
  profile: { params: { userId: string }; result: UserProfile };
}

export interface UserEvents {
  /** A phone was registered as a user. */
  "user.registered": { userId: string; time: string };
}

/** What is missing arrives as "", and a number as its digits: the service's own rules answer for both. */
const text = { type: "string", convert: true, default: "" } as const;
const token = { type: "string" } as const;
export const userId = { type: "string", pattern: userIdPattern } as const;

export const userParams = {
  sendLoginCode: { phone: text },
  login: { phone: text, code: text },
  logout: { token },
  authenticate: { token },
  profile: { userId },
} as const;
