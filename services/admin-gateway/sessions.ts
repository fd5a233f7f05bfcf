import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { fail, isFailure } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { countAddress } from "../../mixins/http/address-limit.ts";
import { bearerToken, clientOf, cookieToken, hasBearer, isTls } from "../../mixins/http/request/client.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { call } from "../contracts.ts";
import type { StaffSession } from "../staff/staff.contract.ts";
import type { SessionCookie } from "./endpoints/endpoint.ts";
import type { AdminGateway } from "./gateway.ts";
import { isForeign, requireSameOrigin } from "./origin.ts";

/** The cookie of a session. */
const cookieName = "ovation_staff";

/** The header with the session's CSRF token, which every POST by cookie needs. */
export const csrfHeader = "X-CSRF-Token";

const windowMs = 60_000;

interface Presented {
  /** As the staff service takes it. */
  readonly session: string;
  /** Sent by a browser by itself, whoever's page made the request. */
  readonly byCookie: boolean;
}

/** The person of a request. */
export interface Known extends StaffSession {
  readonly session: string;
}

const digestOf = (text: string) => createHash("sha256").update(text).digest();

/** Compares in a time that does not depend on the texts. */
const isSame = (one: string, other: string) => timingSafeEqual(digestOf(one), digestOf(other));

/** What a request presents as its session; a request with an Authorization header has no other. */
function presentedBy(request: GatewayRequest, operatorToken: string | undefined): Presented | undefined {
  const { headers } = request;
  if (!hasBearer(headers)) {
    const session = cookieToken(headers, cookieName);
    return session === undefined ? undefined : { session, byCookie: true };
  }
  const token = bearerToken(headers);
  if (token === undefined || token.length > limits.admin.sessionChars) return undefined;
  const isOperators = operatorToken !== undefined && isSame(token, operatorToken);
  return { session: isOperators ? `token:${token}` : token, byCookie: false };
}

/** What `sessionsKnown` has of a session. */
const knownKey = (session: string) => digestOf(session).toString("base64url");

/**
 * Counts a request in a minute: of a session that this node knows for itself, so that strangers at the same address, as
 * behind a tunnel, keep nobody out who works; any other of its address. A page elsewhere, whose requests bring a cookie
 * along, does not count as the session. Fails: tooMany.
 */
export async function countRequest(gateway: AdminGateway, request: GatewayRequest): Promise<void> {
  const { requestsPerAddressPerMinute: limit, operatorToken } = gateway.listener;
  if (limit === 0) return;
  const presented = presentedBy(request, operatorToken);
  const isOwn = presented !== undefined && !(presented.byCookie && isForeign(request));
  const key = isOwn ? knownKey(presented.session) : "";
  if (!gateway.sessionsKnown.has(key)) return countAddress(gateway, "admin-ip", request, limit);
  const waitMs = await gateway.rateLimit.hitAlways({ name: "admin-session", key, limit, windowMs });
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}

/** Fails: requestForged. */
function requireCsrfToken(request: GatewayRequest, csrf: string): void {
  const given = request.headers[csrfHeader.toLowerCase()];
  if (typeof given !== "string" || !isSame(given, csrf)) throw fail("requestForged", { why: `${csrfHeader} is wrong` });
}

/**
 * The person of a request, whose session is asked at the staff service. A POST by cookie must be of the listener's own
 * page, and have the session's CSRF token where `csrf` is set. Requests without a valid session are counted by address;
 * beyond the limit nobody is let in from there but the sessions that this node knows, and the staff service is not asked.
 * Fails: notLoggedIn, requestForged, tooMany, unavailable.
 */
export async function personOf(gateway: AdminGateway, request: GatewayRequest, csrf = true): Promise<Known> {
  const { failuresPerAddressPerMinute: limit, operatorToken } = gateway.listener;
  const counted = { name: "admin failed", key: clientOf(request).key, windowMs, limit };
  const refused = async () => {
    const waitMs = limit === 0 ? 0 : await gateway.rateLimit.hitAlways(counted);
    return waitMs > 0 ? fail("tooMany", { waitMs }) : fail("notLoggedIn");
  };
  const presented = presentedBy(request, operatorToken);
  if (presented === undefined) throw await refused();
  const { session, byCookie } = presented;
  if (byCookie && request.method === "POST") requireSameOrigin(request);
  const key = knownKey(session);
  if (limit > 0 && !gateway.sessionsKnown.has(key)) {
    const waitMs = await gateway.rateLimit.waitFor(counted);
    if (waitMs > 0) throw fail("tooMany", { waitMs });
  }
  try {
    const known = await call(request.$ctx, "staff.session", { session });
    if (csrf && byCookie && request.method === "POST") requireCsrfToken(request, known.csrf);
    gateway.sessionsKnown.set(key, true);
    return { ...known, session };
  } catch (error) {
    if (!isFailure(error, "notLoggedIn")) throw error;
    gateway.sessionsKnown.delete(key);
    throw await refused();
  }
}

/** The cookie of the answer to a request: `Secure` where this request came by TLS, or browsers come so (ADMIN_URL). */
export function sessionCookieOf(
  { listener }: Pick<AdminGateway, "listener">,
  request: GatewayRequest,
  response: ServerResponse,
): SessionCookie {
  const set = (value: string, maxAgeS: number) => {
    const secure = listener.secure || isTls(request) ? "; Secure" : "";
    const cookie = `${cookieName}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
    response.setHeader("Set-Cookie", cookie);
  };
  return {
    set: (session, expiresTime) =>
      set(session, Math.max(0, Math.floor((Date.parse(expiresTime) - Date.now()) / 1_000))),
    remove: () => set("", 0),
  };
}
