import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { release } from "../../config/release.ts";
import { projectRoot } from "../../config/root.ts";

/** The code of an earlier commit, in a folder of its own, as the release that runs before an upgrade. */

/** How many commits of the first parents should lie between this code and the one that it is upgraded from. */
const commitsBack = 20;
/** Only so many commits are looked at. */
const commitsLookedAt = 200;

const git = (...args: string[]): string =>
  execFileSync("git", args, { cwd: projectRoot(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

function fileAt(commit: string, path: string): string | undefined {
  try {
    return git("show", `${commit}:${path}`);
  } catch {
    return undefined;
  }
}

interface Packages {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Whether the packages that are installed here are those that the commit's services run on; versions are exact. */
function runsOnOurPackages(commit: string): boolean {
  const theirs = JSON.parse(fileAt(commit, "package.json") ?? "{}") as Packages;
  const ours = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as Packages;
  return Object.entries(theirs.dependencies ?? {}).every(([name, version]) => ours.dependencies?.[name] === version);
}

/** The release of a commit's code. */
function releaseAt(commit: string): number {
  const [, number = "1"] = /^export const release = (\d+);/m.exec(fileAt(commit, "config/release.ts") ?? "") ?? [];
  return Number(number);
}

/** Whether every file of migrations of the commit is here as it was: no other database can be migrated. */
function hasOurMigrations(commit: string): boolean {
  return (
    git("diff", "--name-only", "--no-renames", "--diff-filter=MD", commit, "--", ":(glob)**/migrations/*.sql") === ""
  );
}

/** The commit to upgrade from, or why there is none. */
export type Choice = { readonly commit: string } | { readonly none: string };

/**
 * UPGRADE_REF, or a commit of this branch that runs on the packages that are installed here and whose databases can be
 * migrated: the last one of the release before, as it runs in production; else the first one that is far enough back, or
 * the one that is furthest back.
 */
export function earlierCommit(wanted = process.env.UPGRADE_REF): Choice {
  try {
    if (wanted) return { commit: git("rev-parse", "--verify", `${wanted}^{commit}`) };
    const commits = git("rev-list", "--first-parent", `--max-count=${commitsLookedAt}`, "HEAD").split("\n");
    const rolls = (commit: string) =>
      releaseAt(commit) >= release - 1 && hasOurMigrations(commit) && runsOnOurPackages(commit);
    const before = commits.find((commit) => releaseAt(commit) < release);
    const commit =
      before && rolls(before)
        ? before
        : (commits.slice(commitsBack).find(rolls) ?? commits.slice(1, commitsBack).findLast(rolls));
    if (commit) return { commit };
    return { none: "this clone has no earlier commit with the migrations, the packages and the release of here" };
  } catch (error) {
    if (wanted) throw error;
    return { none: `this folder has no history: ${(error as Error).message.split("\n")[0]}` };
  }
}

/** The services that the commit has, in its order. */
export function servicesAt(folder: string): string[] {
  const text = readFileSync(join(folder, "broker/service-names.ts"), "utf8");
  const [, list = ""] = /export const serviceNames = \[([^\]]*)\]/.exec(text) ?? [];
  return [...list.matchAll(/"([a-z-]+)"/g)].map(([, name]) => name as string);
}

/** Puts the commit's files into a folder, with the packages to run them; returns the folder. */
export function unpack(commit: string, parent: string): string {
  const folder = join(parent, commit);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = `${folder}.tar`;
  git("archive", "--format=tar", "--output", archive, commit);
  execFileSync("tar", ["-xf", archive, "-C", folder]);
  rmSync(archive);
  if (runsOnOurPackages(commit)) symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
  else execFileSync("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit" });
  if (!existsSync(join(folder, "scripts/node.ts")))
    throw new Error(`${commit} has no scripts/node.ts: it starts no nodes`);
  return folder;
}
