import { sendText } from "../../../mixins/http/answer.ts";
import { packaged } from "../../../mixins/http/packaged.ts";
import type { Serve } from "../gateway.ts";
import { docsHeaders } from "./security.ts";

const html = "text/html; charset=utf-8";
const css = "text/css; charset=utf-8";
const javascript = "text/javascript; charset=utf-8";

const page = (title: string, start: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="${start}"></script>
  </body>
</html>
`;

const start = (url: string) => `SwaggerUIBundle({ url: "${url}", dom_id: "#swagger-ui", deepLinking: true });
`;
const users = page("Ovation API", "/docs/start.js");
const server = page("Ovation server API", "/docs/start-server.js");

function serveFixed(contentType: string, body: () => string | Buffer, cacheControl: string): Serve {
  return (_gateway, request, response) => {
    const headers = { ...docsHeaders, "Cache-Control": cacheControl };
    sendText(response, request.context, { contentType, body: body(), headers });
  };
}

const swaggerUi = (file: string) => packaged("swagger-ui-dist/package.json", file);
const hour = "public, max-age=3600";

/** Swagger UI from its package, by path: nothing is loaded from elsewhere. */
export const docsRoutes: Readonly<Record<string, Serve>> = Object.freeze({
  "/docs": serveFixed(html, () => users, "no-cache"),
  "/docs/start.js": serveFixed(javascript, () => start("/openapi.json"), "no-cache"),
  "/docs/server": serveFixed(html, () => server, "no-cache"),
  "/docs/start-server.js": serveFixed(javascript, () => start("/openapi-server.json"), "no-cache"),
  "/docs/swagger-ui.css": serveFixed(css, swaggerUi("swagger-ui.css"), hour),
  "/docs/swagger-ui-bundle.js": serveFixed(javascript, swaggerUi("swagger-ui-bundle.js"), hour),
});
