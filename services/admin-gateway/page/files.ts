import { readFile, realpath, stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { fail } from "../../../broker/failure.ts";
import { projectRoot } from "../../../config/root.ts";
import { sendText } from "../../../mixins/http/answer.ts";
import type { GatewayRequest } from "../../../mixins/http/request-context.ts";
import { sharedFiles } from "./shared-files.ts";

/** The files of the staff page. */

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** No dots but one before the ending, no percent signs, no backslashes: nothing of it leaves a folder. */
const plainPath = /^(?:\/[A-Za-z0-9_-]+)+\.[a-z]{2,5}$/;

const own = "/admin/";

/** The folder and the file in it that a path names; `undefined` where it names none. */
function placeOf(path: string): { folder: string; file: string } | undefined {
  if (path === own) return { folder: "admin-page", file: "index.html" };
  if (!plainPath.test(path)) return undefined;
  if (path.startsWith(own)) return { folder: "admin-page", file: path.slice(own.length) };
  return sharedFiles.has(path) ? { folder: "public", file: path.slice(1) } : undefined;
}

/** The file's real path. Fails: notFound, where there is none, or where a link leads out of the folder. */
async function realFile(folder: string, file: string): Promise<string> {
  const root = join(await realpath(projectRoot()), folder);
  const real = await realpath(join(root, file)).catch(() => undefined);
  if (real === undefined || !real.startsWith(root + sep)) throw fail("notFound");
  return real;
}

/** Answers with a file of the page; a browser asks each time whether it changed. Fails: notFound. */
export async function sendPageFile(request: GatewayRequest, response: ServerResponse, path: string): Promise<void> {
  const place = placeOf(path);
  const contentType = types[place?.file ? extname(place.file) : ""];
  if (place === undefined || contentType === undefined) throw fail("notFound");
  const real = await realFile(place.folder, place.file);
  const found = await stat(real);
  if (!found.isFile()) throw fail("notFound");
  const etag = `"${Math.floor(found.mtimeMs).toString(36)}-${found.size.toString(36)}"`;
  const headers = { "Cache-Control": "no-cache", ETag: etag };
  if (request.headers["if-none-match"] === etag) {
    request.context.code = 304;
    response.writeHead(304, headers).end();
    return;
  }
  sendText(response, request.context, { contentType, body: await readFile(real), headers });
}
