import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { sendText } from "../answer.ts";
import type { Serve } from "../gateway.ts";
import { docsHeaders } from "./security.ts";

const html = "text/html; charset=utf-8";
const css = "text/css; charset=utf-8";
const javascript = "text/javascript; charset=utf-8";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Ovation API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true });
`;

function serveFixed(contentType: string, body: () => string | Buffer, cacheControl: string): Serve {
  let kept: string | Buffer | undefined;
  return (_gateway, request, response) => {
    kept ??= body();
    const headers = { ...docsHeaders, "Cache-Control": cacheControl };
    sendText(response, request.context, { contentType, body: kept, headers });
  };
}

/** A file of the package, read at its first use and kept: there are two. */
function packaged(name: string): () => Buffer {
  return () => {
    const resolve = createRequire(join(projectRoot(), "package.json")).resolve;
    return readFileSync(join(dirname(resolve("swagger-ui-dist/package.json")), name));
  };
}

const hour = "public, max-age=3600";

/** Swagger UI out of its package, by path: nothing is loaded from elsewhere. */
export const docsRoutes: Readonly<Record<string, Serve>> = Object.freeze({
  "/docs": serveFixed(html, () => page, "no-cache"),
  "/docs/start.js": serveFixed(javascript, () => start, "no-cache"),
  "/docs/swagger-ui.css": serveFixed(css, packaged("swagger-ui.css"), hour),
  "/docs/swagger-ui-bundle.js": serveFixed(javascript, packaged("swagger-ui-bundle.js"), hour),
});
