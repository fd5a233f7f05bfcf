/**
 * What a browser may load on the pages of this gateway: nothing from elsewhere, nothing inline, no frames. A page of
 * another site that opened one of these has no hold of its window, so it cannot send it to another address later.
 */
const common = "base-uri 'none'; frame-ancestors 'none'; object-src 'none'";

function headers(policy: string): Record<string, string> {
  return {
    "Content-Security-Policy": `${policy}; ${common}`,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
  };
}

/** The web page opens WebSockets to im-servers, which have their own ports. */
export const pageHeaders = Object.freeze(
  headers("default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; form-action 'self'"),
);

/** Swagger UI uses style attributes, and icons from data URLs. */
export const docsHeaders = Object.freeze(
  headers("default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; form-action 'none'"),
);

/** A payment provider's page is a form and a stylesheet; it runs no scripts. */
export const providerPageHeaders = Object.freeze(
  headers("default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'"),
);
