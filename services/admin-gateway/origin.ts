import type { IncomingMessage } from "node:http";
import { fail } from "../../broker/failure.ts";
import { readAddress } from "../../config/ip-address.ts";
import { isCrossOrigin } from "../../mixins/http/request/client.ts";
import { withoutBrackets } from "../admin-settings.ts";

/** Where a request of a browser comes from: from this listener's own page, or from somebody else's. */

/** The host of a Host header without its port, IPv6 without brackets; `undefined` where it is none. */
export function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:(\[[0-9a-f:.]+\])|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(header ?? "") ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : withoutBrackets(host);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || readAddress(host)?.range() === "loopback";
}

/**
 * A page whose name was made to lead to this listener (DNS rebinding) is of the same origin for its browser. Its Host
 * header has that name. Fails: badRequest.
 */
export function requireOwnHost({ headers }: IncomingMessage, hosts: ReadonlySet<string>): void {
  const host = hostOf(headers.host);
  if (host === undefined || !(isLoopback(host) || hosts.has(host)))
    throw fail("badRequest", { why: "the Host header names another host: see ADMIN_HOSTS" });
}

/**
 * Whether a page of another origin sent this; another port of this host is another origin. A browser says so in Origin,
 * Sec-Fetch-Site or both; other clients send neither.
 */
export function isForeign(request: IncomingMessage): boolean {
  const site = request.headers["sec-fetch-site"];
  return (site !== undefined && site !== "same-origin" && site !== "none") || isCrossOrigin(request);
}

/** Refuses what a page of another origin sent. Fails: requestForged. */
export function requireSameOrigin(request: IncomingMessage): void {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (isForeign(request)) throw fail("requestForged", { site, origin });
}
