/** Sends login codes to phones. */
export interface SmsProvider {
  /** True where nothing is sent and the caller shows the code instead: in local development alone. */
  readonly shownToCaller: boolean;
  /**
   * Resolves once the provider accepted the code. @throws SmsNotTaken where it was certainly not sent, SmsUnanswered
   * where it may have been.
   */
  sendLoginCode(phone: string, code: string): Promise<void>;
}

/** The provider did not get or refused a code. The message has the cause, without code, phone or credentials. */
export class SmsNotTaken extends Error {}

/** The provider may have got a code: it did not answer in time, or not to the end. The message is as SmsNotTaken's. */
export class SmsUnanswered extends Error {}

/** Errors of a connection that was never made, so that nothing was posted. */
const neverConnected: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** A proxy in front of the provider waited in vain for its answer. */
const gatewayTimeout = 504;

/** Sends nothing; refused in production by config/config.ts. */
export const consoleSms: SmsProvider = {
  shownToCaller: true,
  sendLoginCode: () => Promise.resolve(),
};

/** With SMS_LOGIN=off. */
export const noSms: SmsProvider = {
  shownToCaller: false,
  sendLoginCode: () => Promise.reject(new SmsNotTaken("SMS_LOGIN is off")),
};

/**
 * Posts `{phone, template: "login-code", code}` as JSON to an HTTP endpoint that sends the SMS. Any 2xx counts as
 * accepted, any other answer but 504 as refused. It does not retry: a code that timed out may have been sent.
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
        // A redirect would send the code to an address that nobody configured: it is an answer that refuses.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error & { cause?: { code?: string; errors?: { code?: string }[] } }) => {
        const { code, errors } = error.cause ?? {};
        const Kind = neverConnected.has(code ?? errors?.[0]?.code) ? SmsNotTaken : SmsUnanswered;
        throw new Kind(`the SMS webhook did not answer: ${code ?? error.name}`);
      });
      // Only the status counts: an error while the body is discarded is ignored.
      await response.body?.cancel().catch(() => undefined);
      if (response.status === gatewayTimeout) throw new SmsUnanswered(`the SMS webhook answered ${response.status}`);
      if (!response.ok) throw new SmsNotTaken(`the SMS webhook answered ${response.status}`);
    },
  };
}
