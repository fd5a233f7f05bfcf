/** What other services may use of the user service. */
export interface UserProfile {
  userId: string;
  nickName: string;
  avatar: string;
}

export interface UserActions {
  /**
   * Sends a login code to a phone; `devCode` only where the SMS provider is the local console.
   * Fails: phoneMissing, phoneMalformed, smsTooOften.
   */
  sendLoginCode: { params: { phone: string }; result: { devCode?: string } };
  /**
   * Consumes the code (exactly once), registers an unknown phone, opens a session.
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

const phone = { type: "string", max: 64 } as const;
const token = { type: "string", min: 1, max: 200 } as const;
export const userId = { type: "string", pattern: /^[1-9]\d{0,19}$/ } as const;

export const userParams = {
  sendLoginCode: { phone },
  login: { phone, code: { type: "string", max: 64 } },
  logout: { token },
  authenticate: { token },
  profile: { userId },
} as const;
