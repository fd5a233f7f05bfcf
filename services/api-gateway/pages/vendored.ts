import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { sendText } from "../answer.ts";
import type { Serve } from "../gateway.ts";
import { pageHeaders } from "./security.ts";

/** A file of an installed package, read at its first use and kept in memory. */
export function packaged(name: string, file: string): () => Buffer {
  let kept: Buffer | undefined;
  return () => {
    kept ??= readFileSync(join(dirname(createRequire(join(projectRoot(), "package.json")).resolve(name)), file));
    return kept;
  };
}

const qrCode = packaged("lean-qr", "index.mjs");

/** Modules of packages that the web page imports, by path, unchanged: nothing is built or loaded from elsewhere. */
export const vendoredRoutes: Readonly<Record<string, Serve>> = Object.freeze({
  "/vendor/lean-qr.mjs": (_gateway, request, response) => {
    const headers = { ...pageHeaders, "Cache-Control": "public, max-age=3600" };
    sendText(response, request.context, { contentType: "text/javascript; charset=utf-8", body: qrCode(), headers });
  },
});
