import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { config } from "../../../config/config.ts";
import { readAddress } from "../../../config/ip-address.ts";
import { limits } from "../../../config/limits.ts";
import type { TrustedProxies } from "../../../config/trusted-proxies.ts";
import { type ClientAddress, clientAddress } from "../client-address.ts";
import type { Language } from "../wording.ts";

/** Reads from the headers of a request who sent it and how. The forwarding headers of a trusted proxy are used. */

const safeRequestId = /^[A-Za-z0-9_.:-]{8,64}$/;

/** The caller's own request id where it is safe to log and to pass on, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && safeRequestId.test(given) ? given : randomUUID();
}

export function languageOf(headers: IncomingHttpHeaders): Language {
  return /^\s*en\b/i.test(headers["accept-language"] ?? "") ? "en" : "zh";
}

/** The sender of the request, by TRUST_PROXY: see client-address.ts. */
export function clientOf(request: IncomingMessage, proxies = config().TRUST_PROXY): ClientAddress {
  return clientAddress(request.socket.remoteAddress, request.headers["x-forwarded-for"], proxies);
}

/** Whether the peer is a trusted proxy, whose other forwarding headers are used then. */
function isProxied({ socket }: IncomingMessage, proxies: TrustedProxies): boolean {
  return proxies.trusts(readAddress(socket.remoteAddress ?? ""), 0);
}

export function isTls(request: IncomingMessage, proxies = config().TRUST_PROXY): boolean {
  if ((request.socket as TLSSocket).encrypted) return true;
  return request.headers["x-forwarded-proto"] === "https" && isProxied(request, proxies);
}

/** Whether a page of another origin sent this. Clients that are not browsers send no Origin. */
export function isCrossOrigin(request: IncomingMessage, proxies = config().TRUST_PROXY): boolean {
  const { origin, host, "x-forwarded-host": forwarded } = request.headers;
  if (origin === undefined) return false;
  const here = (typeof forwarded === "string" && isProxied(request, proxies) ? forwarded : host) ?? "";
  return !URL.canParse(origin) || new URL(origin).host !== here.toLowerCase();
}

/** A JWT is the longest. */
const bearer = new RegExp(`^Bearer +([\\x21-\\x7e]{1,${limits.jwt.tokenChars}})$`, "i");

/** Whether the request has an Authorization header; its cookie is then ignored, even where the header is invalid. */
export function hasBearer(headers: IncomingHttpHeaders): boolean {
  return /^Bearer\b/i.test(headers.authorization ?? "");
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return bearer.exec(headers.authorization ?? "")?.[1];
}

/** The token in the cookie of this name. */
export function cookieToken(headers: IncomingHttpHeaders, name: string): string | undefined {
  for (const part of headers.cookie?.split(";") ?? []) {
    const at = part.indexOf("=");
    if (at < 0 || part.slice(0, at).trim() !== name) continue;
    const value = part.slice(at + 1).trim();
    return /^[\x21-\x7e]{1,200}$/.test(value) ? value : undefined;
  }
  return undefined;
}
