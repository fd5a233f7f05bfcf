/** A way to get a login code to a phone. */
export interface SmsProvider {
  /** True where nothing is sent and the caller is to show the code instead: local development alone. */
  readonly shownToCaller: boolean;
  /** Resolves once the provider took the code for delivery. @throws SmsNotTaken where it did not, or said nothing. */
  sendLoginCode(phone: string, code: string): Promise<void>;
}

/** The provider did not take a code; the message says why, without the code, the phone or the credentials. */
export class SmsNotTaken extends Error {}

/** Sends nothing; the settings refuse it in production. */
export const consoleSms: SmsProvider = {
  shownToCaller: true,
  sendLoginCode: () => Promise.resolve(),
};

/**
 * Posts `{phone, template: "login-code", code}` as JSON to an HTTP endpoint that does the sending. Any 2xx counts as
 * taken. Never repeats by itself: a code that timed out may have been sent.
 */
export function webhookSms(options: { url: string; token: string | undefined; timeoutMs: number }): SmsProvider {
  const { url, token, timeoutMs } = options;
  return {
    shownToCaller: false,
    async sendLoginCode(phone, code) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ phone, template: "login-code", code }),
        // A redirect would carry the code to somewhere that nobody configured.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error & { cause?: { code?: string } }) => {
        throw new SmsNotTaken(`the SMS webhook did not answer: ${error.cause?.code ?? error.name}`);
      });
      // Only the status matters: an error of discarding the body is ignored.
      await response.body?.cancel().catch(() => undefined);
      if (!response.ok) throw new SmsNotTaken(`the SMS webhook answered ${response.status}`);
    },
  };
}
