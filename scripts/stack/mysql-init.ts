import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { findProgram, run } from "./run.ts";
import type { Site } from "./server.ts";

type Flavour = "mariadb" | "mysql";

const UNFINISHED = ".unfinished-";

/**
 * Creates the site's data folder where there is none, and returns its path. Each flavour has its own folder, since
 * neither can read the other's data.
 */
export async function initialiseDatabase(
  site: Site,
  program: string,
  logFileSize: string,
): Promise<{ dataDir: string; flavour: Flavour }> {
  const flavour = await flavourOf(site, program);
  const dataDir = dataDirOf(site, flavour);
  if (existsSync(dataDir)) return { dataDir, flavour };

  site.log(`MySQL: making a new database in ${dataDir}`);
  for (const entry of readdirSync(site.dir)) {
    // The installer of a killed start may still be writing to its folder while it is removed.
    if (entry.includes(UNFINISHED)) rmSync(join(site.dir, entry), { recursive: true, force: true, maxRetries: 10 });
  }
  // Created under a unique temporary name: a folder with the final name is complete.
  const fresh = mkdtempSync(`${dataDir}${UNFINISHED}`);
  const installDatabase: Install = flavour === "mysql" ? installMysql : installMariadb;
  // A starting database deletes files like its own from its temporary folder, so this must not be shared.
  const temporary = mkdtempSync(join(tmpdir(), "ovation-init-"));
  try {
    await installDatabase(site, program, { dataDir: fresh, temporary, logFileSize });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  renameSync(fresh, dataDir);
  return { dataDir, flavour };
}

export async function flavourOf(site: Site, program: string): Promise<Flavour> {
  const { output } = await run(program, ["--no-defaults", "--version"], { env: site.env, timeoutMs: 10_000 });
  return /mariadb/i.test(output) ? "mariadb" : "mysql";
}

export const dataDirOf = (site: Site, flavour: Flavour) => join(site.dir, `data-${flavour}`);

interface Installation {
  dataDir: string;
  temporary: string;
  /** As the server has it: otherwise it would rewrite the log at its first start. */
  logFileSize: string;
}

type Install = (site: Site, program: string, installation: Installation) => Promise<void>;

const installMysql: Install = async (site, program, { dataDir, temporary }) => {
  const args = ["--no-defaults", "--initialize-insecure", ...userOption(), `--datadir=${dataDir}`];
  await install(site, program, args, temporary);
};

const installMariadb: Install = async (site, program, { dataDir, temporary, logFileSize }) => {
  // The installer is a shell script that fails on a path with a space, so it gets a path without one.
  symlinkSync(dirname(dataDir), join(temporary, "mysql"));
  const args = [
    "--no-defaults",
    ...userOption(),
    `--datadir=${join(temporary, "mysql", basename(dataDir))}`,
    "--auth-root-authentication-method=socket",
    "--skip-test-db",
    "--skip-name-resolve",
    // Without it, a machine that cannot resolve its own name is refused.
    "--force",
    `--innodb-log-file-size=${logFileSize}`,
  ];
  await install(site, findInstaller(program, site.env), args, temporary);
};

async function install(site: Site, command: string, args: string[], temporary: string): Promise<void> {
  const env = { ...site.env, TMPDIR: temporary };
  const { code, output } = await run(command, args, { env, cwd: site.dir });
  if (code === 0) return;
  const file = join(site.dir, "init.log");
  writeFileSync(file, `${command} ${args.join(" ")}\n${output}\n`);
  const lines = output.split("\n");
  const problems = lines.filter((line) => /error|cannot|denied|no such/i.test(line));
  throw new Error(
    `a new database could not be made: ${command} ended with ${code}; its output is in ${file}\n` +
      (problems.length > 0 ? problems : lines).slice(0, 10).join("\n"),
  );
}

function userOption(): string[] {
  return process.getuid?.() === 0 ? ["--user=root"] : [];
}

function findInstaller(program: string, env: NodeJS.ProcessEnv): string {
  const names = ["mariadb-install-db", "mysql_install_db"];
  const beside = [dirname(program), join(dirname(program), "..", "bin"), join(dirname(program), "..", "scripts")];
  const found = findProgram(names, { ...env, PATH: [...beside, env.PATH].join(":") });
  if (found !== undefined) return found;
  throw new Error(
    `${program} is MariaDB, but its mariadb-install-db is not installed; install MariaDB's server package`,
  );
}
