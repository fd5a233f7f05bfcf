/**
 * What a browser may load on a page: nothing from elsewhere, nothing inline, no frames. A page of another site that
 * opened one of these has no hold of its window, so it cannot send it to another address later.
 */
const common = "base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

/** The headers of a page with this Content-Security-Policy, which is completed by what holds for every page. */
export function pageHeadersOf(policy: string): Record<string, string> {
  return {
    "Content-Security-Policy": `${policy}; ${common}`,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
  };
}
