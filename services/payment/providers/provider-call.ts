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
  /** The most bytes of an answer. */
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
}

/**
 * One HTTP call to a provider, bounded in time and size, without a retry. The answer is not verified yet. Fails:
 * unavailable, where no answer came, or one that asks to repeat (429, 5xx). The failure contains no header and no key.
 */
export async function callProvider(channel: string, url: string, call: ProviderCall): Promise<ProviderAnswer> {
  const { bytes, ...answer } = await exchange(channel, url, call);
  return { ...answer, body: bytes.toString("utf8") };
}

/** Downloads a file of a provider, e.g. a bill: as callProvider, with its own bound. Fails: unavailable. */
export async function downloadFrom(channel: string, url: string, headers: Record<string, string>): Promise<Buffer> {
  const maxBytes = limits.payment.providerBillBytes;
  const timeoutMs = limits.payment.providerBillTimeoutMs;
  const { status, bytes } = await exchange(channel, url, { method: "GET", headers, maxBytes, timeoutMs });
  if (status === 200) return bytes;
  throw fail("unavailable", { channel, path: new URL(url).pathname, why: `answered ${status}` });
}

type Exchanged = Omit<ProviderAnswer, "body"> & { bytes: Buffer };

async function exchange(channel: string, url: string, call: ProviderCall): Promise<Exchanged> {
  const { maxBytes = limits.payment.providerAnswerBytes, timeoutMs = limits.payment.providerTimeoutMs, ...init } = call;
  const down = (why: string) => fail("unavailable", { channel, path: new URL(url).pathname, why });
  let answer: Exchanged | null;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { ...init, redirect: "error", signal });
    const bytes = await bytesWithin(response, maxBytes);
    answer = bytes === null ? null : { status: response.status, headers: Object.fromEntries(response.headers), bytes };
  } catch (error) {
    const { name, cause } = error as Error;
    throw down(cause instanceof Error ? cause.message : name);
  }
  if (!answer) throw down(`an answer of more than ${maxBytes} bytes`);
  if (answer.status === 429 || answer.status >= 500) throw down(`answered ${answer.status}`);
  return answer;
}

/** The body; `null` where it is larger. */
async function bytesWithin(response: Response, maxBytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
