import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder of this checkout: the nearest folder, at or above the working directory, with a package.json named
 * "ovation". Throws where the working directory is outside of a checkout.
 */
export function projectRoot(): string {
  const start = process.cwd();
  for (let folder = start; ; folder = dirname(folder)) {
    if (packageName(folder) === "ovation") return folder;
    if (dirname(folder) === folder) {
      throw new Error(`${start} is not inside an Ovation checkout; run this from the project's folder`);
    }
  }
}

function packageName(folder: string): unknown {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")).name;
}
