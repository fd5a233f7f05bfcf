import { sendText } from "../../../mixins/http/answer.ts";
import { packaged } from "../../../mixins/http/packaged.ts";
import type { Serve } from "../gateway.ts";
import { pageHeaders } from "./security.ts";

const qrCode = packaged("lean-qr", "index.mjs");

/** Modules of packages that the web page imports, by path, unchanged: nothing is built or loaded from elsewhere. */
export const vendoredRoutes: Readonly<Record<string, Serve>> = Object.freeze({
  "/vendor/lean-qr.mjs": (_gateway, request, response) => {
    const headers = { ...pageHeaders, "Cache-Control": "public, max-age=3600" };
    sendText(response, request.context, { contentType: "text/javascript; charset=utf-8", body: qrCode(), headers });
  },
});
