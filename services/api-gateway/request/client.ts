import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Language } from "../wording.ts";

/** What the headers of a request say about who sent it and how. With a trusted proxy its forwarding headers count. */

export const sessionCookie = "qytk";

const safeRequestId = /^[A-Za-z0-9_.:-]{8,64}$/;

/** The caller's own request id where it is safe to log and to hand on, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && safeRequestId.test(given) ? given : randomUUID();
}

export function languageOf(headers: IncomingHttpHeaders): Language {
  return /^\s*en\b/i.test(headers["accept-language"] ?? "") ? "en" : "zh";
}

/** The address that limits go by. Of a proxy's list only the last entry counts: the others are the client's own words. */
export function clientIp(request: IncomingMessage, trustProxy: boolean): string {
  if (trustProxy) {
    const forwarded = String(request.headers["x-forwarded-for"] ?? "")
      .split(",")
      .at(-1)
      ?.trim();
    if (forwarded && isIP(forwarded)) return forwarded;
  }
  return (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:/, "");
}

export function isTls(request: IncomingMessage, trustProxy: boolean): boolean {
  if ((request.socket as TLSSocket).encrypted) return true;
  return trustProxy && request.headers["x-forwarded-proto"] === "https";
}

/** Whether a browser page of another origin sent this. Clients that are no browsers send no Origin. */
export function isCrossOrigin({ headers }: IncomingMessage, trustProxy: boolean): boolean {
  const { origin } = headers;
  if (origin === undefined) return false;
  const forwardedHost = headers["x-forwarded-host"];
  const host = (trustProxy && typeof forwardedHost === "string" ? forwardedHost : headers.host) ?? "";
  return !URL.canParse(origin) || new URL(origin).host !== host.toLowerCase();
}

const bearer = /^Bearer +([\x21-\x7e]{1,200})$/i;

/** Whether the request says by header who it is; its cookie then says nothing, even where the header is no good. */
export function hasBearer(headers: IncomingHttpHeaders): boolean {
  return /^Bearer\b/i.test(headers.authorization ?? "");
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  return bearer.exec(headers.authorization ?? "")?.[1];
}

/** The token of the login cookie. */
export function cookieToken(headers: IncomingHttpHeaders): string | undefined {
  for (const part of headers.cookie?.split(";") ?? []) {
    const at = part.indexOf("=");
    if (at < 0 || part.slice(0, at).trim() !== sessionCookie) continue;
    const value = part.slice(at + 1).trim();
    return /^[\x21-\x7e]{1,200}$/.test(value) ? value : undefined;
  }
  return undefined;
}
