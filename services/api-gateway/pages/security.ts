import { pageHeadersOf } from "../../../mixins/http/page-headers.ts";

/** The web page opens WebSockets to im-servers, which have their own ports. */
export const pageHeaders = Object.freeze(
  pageHeadersOf("default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; form-action 'self'"),
);

/** Swagger UI uses style attributes, and icons from data URLs. */
export const docsHeaders = Object.freeze(
  pageHeadersOf("default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; form-action 'none'"),
);

/** A payment provider's page is a form and a stylesheet; it runs no scripts. */
export const providerPageHeaders = Object.freeze(
  pageHeadersOf("default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'"),
);
