import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../config/root.ts";
import { structureProblems } from "./check-structure.ts";
import { requireNode } from "./node-version.ts";

/** Types, lint and format, the client's generated types, structure: all checks run, and all problems are shown. */
function main(): void {
  requireNode();
  const bin = join(projectRoot(), "node_modules/.bin");
  let failed = 0;
  for (const [what, program, ...args] of [
    ["types", join(bin, "tsc"), "--noEmit"],
    ["lint and format", join(bin, "biome"), "check", "--error-on-warnings", "."],
    ["the client's types", process.execPath, "clients/typescript/scripts/generate-types.ts", "--check"],
  ] as const) {
    console.log(`${what} ...`);
    const { status } = spawnSync(program, args, { stdio: "inherit", cwd: projectRoot() });
    if (status !== 0) failed++;
  }
  console.log("structure ...");
  const problems = structureProblems(projectRoot());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) failed++;
  console.log(failed === 0 ? "check: all good" : `check: ${failed} of 4 failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
