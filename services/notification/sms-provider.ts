/** Sends login codes to phones. */
export interface SmsProvider {
  /** True where nothing is sent and the caller shows the code instead: in local development alone. */
  readonly shownToCaller: boolean;
  /** Resolves once the provider accepted the code. @throws SmsNotTaken where it refused or did not answer. */
  sendLoginCode(phone: string, code: string): Promise<void>;
}

/** The provider did not accept a code. The message has the cause, without code, phone or credentials. */
export class SmsNotTaken extends Error {}

/** Sends nothing; refused in production by config/config.ts. */
export const consoleSms: SmsProvider = {
  shownToCaller: true,
  sendLoginCode: () => Promise.resolve(),
};

/**
 * Posts `{phone, template: "login-code", code}` as JSON to an HTTP endpoint that sends the SMS. Any 2xx counts as
 * accepted. It does not retry: a code that timed out may have been sent.
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
        // A redirect would send the code to an address that nobody configured.
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error & { cause?: { code?: string } }) => {
        throw new SmsNotTaken(`the SMS webhook did not answer: ${error.cause?.code ?? error.name}`);
      });
      // Only the status counts: an error while the body is discarded is ignored.
      await response.body?.cancel().catch(() => undefined);
      if (!response.ok) throw new SmsNotTaken(`the SMS webhook answered ${response.status}`);
    },
  };
}
