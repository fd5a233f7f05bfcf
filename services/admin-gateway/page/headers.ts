import { pageHeadersOf } from "../../../mixins/http/page-headers.ts";

/**
 * Of every answer of this listener. Nothing comes from elsewhere but pictures of gifts and products, which are https or
 * stand in the page; forms are sent by scripts alone.
 */
export const adminHeaders: Readonly<Record<string, string>> = Object.freeze({
  ...pageHeadersOf(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; " +
      "form-action 'none'",
  ),
  "Cross-Origin-Resource-Policy": "same-origin",
});
