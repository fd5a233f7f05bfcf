import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Builds dist/: JavaScript and types that run without this repository. The page's IM client is copied beside them: there is
 * one of it.
 */

const root = join(import.meta.dirname, "..");
const project = join(root, "../..");
const page = join(project, "public/js");
const imClient = "../../../public/js/im-client.js";

function compile(): void {
  const tsc = join(project, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--project", join(root, "tsconfig.build.json")];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`tsc ended with ${status}`);
}

/** The compiler writes no files for .d.ts files of the sources. */
function copyGeneratedTypes(): void {
  const from = join(root, "src/generated");
  for (const file of readdirSync(from).filter((name) => name.endsWith(".d.ts")))
    copyFileSync(join(from, file), join(root, "dist/generated", file));
}

function copyImClient(): void {
  for (const file of ["im-client.js", "im-client.d.ts"]) copyFileSync(join(page, file), join(root, "dist", file));
}

/** In declarations the compiler leaves the endings of imports as they are. */
function finishImports(): void {
  const dist = join(root, "dist");
  for (const file of (readdirSync(dist, { recursive: true }) as string[]).filter((name) =>
    /\.(js|d\.ts)$/.test(name),
  )) {
    const path = join(dist, file);
    const text = readFileSync(path, "utf8").replaceAll(imClient, "./im-client.js");
    const finished = text.replace(/( from "\.[^"]*?)(\.d)?\.ts"/g, '$1.js"');
    writeFileSync(path, finished);
  }
}

rmSync(join(root, "dist"), { recursive: true, force: true });
mkdirSync(join(root, "dist/generated"), { recursive: true });
compile();
copyGeneratedTypes();
copyImClient();
finishImports();
