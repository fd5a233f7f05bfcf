import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { replaceFile } from "../files.ts";
import { aptInstall, debianPackages, hasApt } from "../install.ts";
import { findProgram, mustRun, run, withServerPath } from "../run.ts";
import { messageOf } from "../wait.ts";

type Log = (line: string) => void;

/** What a Galera node needs beside MariaDB. */
export interface GaleraPrograms {
  /** The library that replicates. */
  readonly provider: string;
  /** How a node's data are copied, as the server's setting names it. */
  readonly copyMethod: string;
  /** The environment in which the server finds the scripts that copy a node's data. */
  readonly env: NodeJS.ProcessEnv;
}

const providers = [
  "/usr/lib/galera/libgalera_smm.so",
  "/usr/lib/libgalera_smm.so",
  "/usr/lib64/galera-4/libgalera_smm.so",
];
const copyScript = "wsrep_sst_rsync";
const copyMethod = "ovation_rsync";
/** What the scripts call; `my_print_defaults` comes with MariaDB's programs. */
const needed: readonly { programs: readonly string[]; packages: readonly string[] | "mysql" }[] = [
  { programs: ["nats-server"], packages: ["nats-server"] },
  { programs: ["redis-server"], packages: ["redis-server"] },
  { programs: ["mariadbd"], packages: "mysql" },
  { programs: ["my_print_defaults"], packages: "mysql" },
  { programs: ["haproxy"], packages: ["haproxy"] },
  { programs: ["rsync"], packages: ["rsync"] },
  { programs: ["lsof", "ss"], packages: ["lsof"] },
];

const providerOf = () => providers.find((file) => existsSync(file));

/** Where the servers of several cannot be had on this machine. The message says what to do. */
export class ProgramsMissing extends Error {
  override name = "ProgramsMissing";
}

const advice = `The servers of the HA stack come from Debian's packages alone: apt-get install nats-server redis-server
mariadb-server galera-4 haproxy rsync lsof, as root or by sudo without a password, and start again.`;

/**
 * Makes sure that the programs of all servers are installed; what is missing is installed from Debian's packages. No
 * server of the system is started. @throws ProgramsMissing
 */
export async function provideHaPrograms(stackDir: string, env: NodeJS.ProcessEnv, log: Log): Promise<GaleraPrograms> {
  const missing = () => needed.filter(({ programs }) => findProgram(programs, env) === undefined);
  try {
    if (missing().length > 0 || providerOf() === undefined) {
      if (!hasApt(env)) throw new Error("this machine has no apt-get");
      const galera = providerOf() === undefined ? ["galera-4"] : [];
      const packagesOf = async (aptEnv: NodeJS.ProcessEnv) => {
        const named = missing().map(({ packages }) =>
          packages === "mysql" ? debianPackages("mysql", aptEnv) : packages,
        );
        return [...new Set([...(await Promise.all(named)).flat(), ...galera])];
      };
      await aptInstall(packagesOf, env, log);
    }
    const provider = providerOf();
    const left = missing().flatMap(({ programs }) => programs[0] ?? []);
    if (provider === undefined) left.push("galera-4");
    if (provider === undefined || left.length > 0) throw new Error(`these are missing: ${left.join(", ")}`);
    const scripts = await scriptsFolder(env, log);
    const path = [copyFolder(stackDir, join(scripts, copyScript), env), scripts, withServerPath(env).PATH];
    return { provider, copyMethod, env: { ...env, PATH: path.join(delimiter) } };
  } catch (error) {
    throw new ProgramsMissing(`${messageOf(error)}\n${advice}`);
  }
}

/**
 * A folder with the script of `copyMethod`: that for rsync, with an `rsync` that receives files as the user who runs it.
 * Started by root, the real one's daemon becomes nobody, who may not write into the node's folder. The server puts the
 * system's programs in front of its PATH, so the script puts this folder in front again.
 */
function copyFolder(stackDir: string, script: string, env: NodeJS.ProcessEnv): string {
  const folder = join(stackDir, "ha", "bin");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => replaceFile(join(folder, name), `#!/bin/sh\n${text}`, 0o700);
  const rsync = findProgram(["rsync"], env);
  const asUser = process.getuid?.() === 0 ? "--dparam=uid=0 --dparam=gid=0 " : "";
  write(
    "rsync",
    `case "$1" in --daemon) shift; exec "${rsync}" --daemon ${asUser}"$@" ;; esac\nexec "${rsync}" "$@"\n`,
  );
  write(`wsrep_sst_${copyMethod}`, `PATH="${folder}:$PATH"\nexport PATH\nexec "${script}" "$@"\n`);
  return folder;
}

/**
 * The folder with the scripts that copy a node's data. They are in the full package of the server, which would make a
 * database of the system, so they alone are taken out of it. Kept for all stacks of this checkout.
 */
async function scriptsFolder(env: NodeJS.ProcessEnv, log: Log): Promise<string> {
  const installed = findProgram([copyScript], env);
  if (installed !== undefined) return join(installed, "..");
  const kept = join(projectRoot(), ".stack", "galera-scripts");
  if (existsSync(join(kept, copyScript))) return kept;
  log(`downloading Debian's package mariadb-server for its script ${copyScript}`);
  mkdirSync(join(projectRoot(), ".stack"), { recursive: true, mode: 0o700 });
  const work = mkdtempSync(`${kept}.unfinished-`);
  try {
    const options = { env: withServerPath({ ...env, LC_ALL: "C.UTF-8" }), cwd: work };
    const [, version] = (await run("dpkg-query", ["-W", "mariadb-server-core"], options)).output.trim().split("\t");
    const exact = await run("apt-get", ["download", `mariadb-server=${version}`], options);
    // The lists may know a newer one alone; the scripts change rarely.
    if (exact.code !== 0) await mustRun("apt-get", ["download", "mariadb-server"], options);
    const archive = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error("apt-get download left no package");
    await mustRun("dpkg-deb", ["-x", archive, "files"], options);
    const fresh = join(work, "scripts");
    mkdirSync(fresh);
    const from = join(work, "files", "usr", "bin");
    for (const name of readdirSync(from).filter((file) => file.startsWith("wsrep_sst_")))
      renameSync(join(from, name), join(fresh, name));
    // Another start may have been faster.
    if (!existsSync(join(kept, copyScript))) renameSync(fresh, kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return kept;
}
