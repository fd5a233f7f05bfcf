/** A module of the page, loaded into the test's own process: tests are CommonJS, the page is not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { transformSync } from "@swc/core";

/** @param path under public/; the module must import nothing */
export function loadPageModule<T>(path: string): T {
  const file = join(__dirname, "../../public", path);
  const { code } = transformSync(readFileSync(file, "utf8"), {
    filename: file,
    module: { type: "commonjs" },
    jsc: { target: "es2022" },
  });
  const module = { exports: {} as T };
  runInThisContext(`(function (module, exports) {${code}\n})`, { filename: file })(module, module.exports);
  return module.exports;
}
