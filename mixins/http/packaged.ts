import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../config/root.ts";

/** A file of an installed package, read at its first use and kept in memory. */
export function packaged(name: string, file: string): () => Buffer {
  let kept: Buffer | undefined;
  return () => {
    kept ??= readFileSync(join(dirname(createRequire(join(projectRoot(), "package.json")).resolve(name)), file));
    return kept;
  };
}
