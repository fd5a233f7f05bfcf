import type { JSONWebKeySet } from "jose";
import { limits } from "../../../config/limits.ts";

const { keysBytes, keysInSet } = limits.jwt;

/** The body as text. It is counted as it comes, after decompression, and not read beyond the bound. */
async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the answer.
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > keysBytes) throw new Error(`the answer is longer than ${keysBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const publicKinds: ReadonlySet<unknown> = new Set(["RSA", "EC", "OKP"]);

/** @throws Error where the text is no set of public keys */
function keySetIn(text: string): JSONWebKeySet {
  const read = JSON.parse(text) as { keys?: unknown } | null;
  const keys = read?.keys;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "object" && key !== null))
    throw new Error("the answer is no JWKS");
  if (keys.length > keysInSet) throw new Error(`the answer has ${keys.length} keys, ${keysInSet} at the most`);
  // An empty set is an accident of the server: it would log everybody out.
  const found = keys.filter(({ kty }) => publicKinds.has(kty));
  if (found.length === 0) throw new Error("the answer has no public key");
  return { keys: found };
}

/** Reads a JWKS. Rejects with the cause: no answer in time, another status than 200 (a redirect is one), no JWKS. */
export async function requestJwks(url: URL, stopping: AbortSignal): Promise<JSONWebKeySet> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(limits.jwt.keysTimeoutMs)]);
  const response = await fetch(url, { redirect: "manual", headers: { accept: "application/json" }, signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  return keySetIn(await boundedText(response));
}
