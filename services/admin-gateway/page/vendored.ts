import { limits } from "../../../config/limits.ts";
import { sendText } from "../../../mixins/http/answer.ts";
import { packaged } from "../../../mixins/http/packaged.ts";
import type { Serve } from "../gateway.ts";

function serve(contentType: string, file: () => Buffer): Serve {
  const headers = { "Cache-Control": `private, max-age=${limits.admin.packagedFileS}` };
  return (_gateway, request, response) => sendText(response, request.context, { contentType, body: file(), headers });
}

/** What the page uses of packages, unchanged, by path: nothing is built or loaded from elsewhere. */
export const vendoredRoutes: Readonly<Record<string, Serve>> = Object.freeze({
  // By the path of the users' page, whose module of QR codes imports it.
  "/vendor/lean-qr.mjs": serve("text/javascript; charset=utf-8", packaged("lean-qr", "index.mjs")),
  "/admin/vendor/uplot.js": serve("text/javascript; charset=utf-8", packaged("uplot", "uPlot.esm.js")),
  "/admin/vendor/uplot.css": serve("text/css; charset=utf-8", packaged("uplot", "uPlot.min.css")),
});
