import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";

export interface ProviderAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface ProviderCall {
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** How much of an answer is taken. */
  readonly maxBytes?: number;
}

/**
 * One HTTP call to a provider, bounded in time and size, not repeated. What comes back is not verified yet. Fails:
 * unavailable, where there was no answer, or one that says to come again (429, 5xx). No header or key is in the failure.
 */
export async function callProvider(channel: string, url: string, call: ProviderCall): Promise<ProviderAnswer> {
  const { maxBytes = limits.payment.providerAnswerBytes, ...init } = call;
  const down = (why: string) => fail("unavailable", { channel, path: new URL(url).pathname, why });
  let answer: ProviderAnswer | null;
  try {
    const signal = AbortSignal.timeout(limits.payment.providerTimeoutMs);
    const response = await fetch(url, { ...init, redirect: "error", signal });
    const body = await textWithin(response, maxBytes);
    answer = body === null ? null : { status: response.status, headers: Object.fromEntries(response.headers), body };
  } catch (error) {
    const { name, cause } = error as Error;
    throw down(cause instanceof Error ? cause.message : name);
  }
  if (!answer) throw down(`an answer of more than ${maxBytes} bytes`);
  if (answer.status === 429 || answer.status >= 500) throw down(`answered ${answer.status}`);
  return answer;
}

/** The body as UTF-8; `null` where it is larger. */
async function textWithin(response: Response, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
