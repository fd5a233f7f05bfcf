import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import { fail, failureName } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { countAddress } from "../../mixins/http/address-limit.ts";
import { sendSuccess } from "../../mixins/http/answer.ts";
import {
  bearerToken,
  clientOf,
  cookieToken,
  hasBearer,
  isCrossOrigin,
  isTls,
} from "../../mixins/http/request/client.ts";
import { requestFields } from "../../mixins/http/request/fields.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { tracedRequest } from "../../mixins/http/traced-request.ts";
import type { TokenClaims } from "../tokens.ts";
import type { Caller, Endpoint, Session } from "./endpoints/endpoint.ts";
import type { Gateway, Serve } from "./gateway.ts";

/** The cookie of a login. */
const sessionCookie = "qytk";

const minuteMs = 60_000;
const cookieLife = limits.user.tokenTtlMs / 1_000;

/** Fails: tooMany. A limit of 0 means none. Without Redis users are not limited. */
async function count(gateway: Gateway, name: string, key: string, limit: number): Promise<void> {
  if (limit === 0) return;
  const waitMs = await gateway.rateLimit.hit(name, key, limit, minuteMs);
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}

/**
 * Carries a request out unless too many of its address have failed with one of these failures in the last minute.
 * Others are not counted. Fails: tooMany, and as `work`.
 */
async function countingFailures<T>(
  gateway: Gateway,
  { path, failuresPerMinute }: Endpoint,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const limit = failuresPerMinute?.address() ?? 0;
  if (failuresPerMinute === undefined || limit === 0) return work();
  const counted = { name: `${path} failed`, key, limit, windowMs: minuteMs };
  const waitMs = await gateway.rateLimit.waitFor(counted);
  if (waitMs > 0) throw fail("tooMany", { waitMs });
  return work().catch(async (error: unknown) => {
    const name = failureName(error);
    if (name !== undefined && failuresPerMinute.failures.includes(name)) await gateway.rateLimit.hitAlways(counted);
    throw error;
  });
}

/** Counts a request against the limit of each address, if one is set. Fails: tooMany. */
export async function countRequest(gateway: Gateway, request: GatewayRequest): Promise<void> {
  await countAddress(gateway, "http-ip", request, config().REQUESTS_PER_IP_PER_MINUTE);
}

/**
 * The login of a request: its Bearer token, else its cookie. A page of another origin can neither use nor set the
 * cookie, so no link can make a user act or log in as somebody else.
 */
function sessionOf(gateway: Gateway, request: GatewayRequest, response: ServerResponse): Session {
  const foreign = isCrossOrigin(request);
  const setCookie = (value: string, maxAgeS: number) => {
    if (foreign) return;
    const secure = isTls(request) ? "; Secure" : "";
    const cookie = `${sessionCookie}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`;
    response.setHeader("Set-Cookie", cookie);
  };
  const given = hasBearer(request.headers) ? bearerToken(request.headers) : cookieToken(request.headers, sessionCookie);
  const token = foreign && !hasBearer(request.headers) ? undefined : given;
  return {
    token,
    revoke: async (calls) => (token === undefined ? null : gateway.logins.revokeOnce(token, calls)),
    open: (token) => setCookie(token, cookieLife),
    close(revoked) {
      if (revoked) gateway.revokedTokens.add(revoked);
      setCookie("", 0);
    },
  };
}

/** Whether the request carries this Bearer token; compared in constant time. */
export function carriesToken(request: GatewayRequest, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(token), digest(bearerToken(request.headers) ?? ""));
}

/**
 * The login of the user who sent a request, without a wait for an own token and for a JWT that this node knows
 * (logins/logins.ts). Fails: notLoggedIn; unavailable, where this node cannot know whether the token is valid.
 */
function authenticate(gateway: Gateway, { token }: Session): TokenClaims | Promise<TokenClaims> {
  if (token === undefined) throw fail("notLoggedIn");
  return gateway.logins.authenticate(token);
}

/** Fails: banned, where the user is so everywhere; unavailable, while this node does not know who is. */
function requireUnbanned({ restrictions, requireRestrictions }: Gateway, { userId }: TokenClaims): void {
  requireRestrictions();
  if (restrictions.isBanned(userId)) throw fail("banned", { userId });
}

/** A caller with access, and the login that gave it. */
interface Admitted {
  readonly caller: Caller;
  readonly login?: TokenClaims;
}

/**
 * Refuses callers without access to the endpoint, before the body is read. Fails: notLoggedIn, unavailable.
 */
function admit(
  gateway: Gateway,
  endpoint: Endpoint,
  request: GatewayRequest,
  response: ServerResponse,
): Admitted | Promise<Admitted> {
  const { language } = request.context;
  const session = sessionOf(gateway, request, response);
  const caller = { language, session, address: clientOf(request).key, userId: "" };
  if (endpoint.access === "public") return { caller };
  const admitted = (login: TokenClaims): Admitted => {
    request.context.userId = login.userId;
    return { caller: { ...caller, userId: login.userId }, login };
  };
  const login = authenticate(gateway, session);
  return login instanceof Promise ? login.then(admitted) : admitted(login);
}

/** The handler of an endpoint's requests. */
export function serveEndpoint(endpoint: Endpoint): Serve {
  const { address, user = 0 } = endpoint.perMinute;
  return async (gateway, request, response) => {
    await countRequest(gateway, request);
    if (address) await countAddress(gateway, endpoint.path, request, address());
    const admitted = admit(gateway, endpoint, request, response);
    const { caller, login } = admitted instanceof Promise ? await admitted : admitted;
    const fields = await requestFields(request, endpoint.fields, limits.http.bodyBytes);
    // A body may take `limits.http.requestTimeoutMs`; a logout meanwhile was answered.
    if (login) {
      gateway.logins.requireUnrevoked(login);
      if (!endpoint.checksBanItself) requireUnbanned(gateway, login);
    }
    const passes = () => count(gateway, endpoint.path, caller.userId, user);
    const handle = () => endpoint.handle(request.$ctx, fields, caller, passes);
    const data = await tracedRequest(gateway.broker, request, () =>
      countingFailures(gateway, endpoint, caller.address, handle),
    );
    sendSuccess(response, request.context, data);
  };
}
