import { setTimeout as pause } from "node:timers/promises";
import { readIfThere } from "./files.ts";
import { findProgram, mustRun, run, withServerPath } from "./run.ts";
import type { ServerName, ServerPlan } from "./server.ts";

/** Installs missing server programs by this machine's package manager. */

type Log = (line: string) => void;

/** The longest wait for another package manager, seconds. */
const APT_LOCK_SECONDS = 300;

const DEBIAN_PACKAGES: Record<ServerName, string[]> = {
  nats: ["nats-server"],
  redis: ["redis-server"],
  // Only the programs, where the distribution has them in a package of their own; the full package creates a system
  // database.
  mysql: ["mariadb-server-core", "mariadb-client-core"],
};
const DEBIAN_FALLBACK: Partial<Record<ServerName, string[]>> = { mysql: ["mariadb-server"] };
const BREW_PACKAGES: Record<ServerName, string> = { nats: "nats-server", redis: "redis", mysql: "mariadb" };

/**
 * Installs the programs of the plans, if this machine has a package manager that this user may use; otherwise does
 * nothing. Throws where the installation fails.
 */
export async function installPrograms(plans: ServerPlan[], env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  const names = plans.map((plan) => plan.name);
  if (hasApt(env)) {
    const packages = async (aptEnv: NodeJS.ProcessEnv) =>
      (await Promise.all(names.map((name) => debianPackages(name, aptEnv)))).flat();
    await aptInstall(packages, env, log);
    return;
  }
  if (process.platform === "darwin" && findProgram(["brew"], env) !== undefined) {
    const packages = names.map((name) => BREW_PACKAGES[name]);
    log(`installing with Homebrew: ${packages.join(" ")}`);
    await mustRun("brew", ["install", ...packages], { env: withServerPath(env), onLine: log });
  }
}

/** Instructions for installing these by hand. */
export function installAdvice(plans: ServerPlan[]): string {
  const debian = plans.flatMap((plan) => DEBIAN_FALLBACK[plan.name] ?? DEBIAN_PACKAGES[plan.name]).join(" ");
  const brew = plans.map((plan) => BREW_PACKAGES[plan.name]).join(" ");
  return [
    `These servers are not installed: ${plans.map((plan) => `${plan.title} (${plan.programs.join(" or ")})`).join(", ")}.`,
    "Do one of these and start again:",
    `  - Debian or Ubuntu: sudo apt-get install ${debian}`,
    `  - macOS: brew install ${brew}`,
    "  - start Docker; its images are used then",
    `  - set ${plans.map((plan) => plan.variable).join(", ")} to servers that run elsewhere`,
  ].join("\n");
}

/** Whether the packages of this machine are Debian's. */
export function hasApt(env: NodeJS.ProcessEnv): boolean {
  return isDebianLike() && findProgram(["apt-get"], env) !== undefined;
}

function isDebianLike(): boolean {
  const release = readIfThere("/etc/os-release") ?? "";
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** The command prefix that runs a command as root; `undefined` where this user may not. */
async function asRoot(env: NodeJS.ProcessEnv): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (findProgram(["sudo"], env) === undefined) return undefined;
  const allowed = await run("sudo", ["-n", "true"], { env, timeoutMs: 10_000 });
  return allowed.code === 0 ? ["sudo", "-n"] : undefined;
}

/** Installs packages, if this user may; otherwise does nothing. They are asked for after the lists have been read. */
export async function aptInstall(
  packagesOf: (aptEnv: NodeJS.ProcessEnv) => Promise<string[]>,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<void> {
  const root = await asRoot(env);
  if (root === undefined) return;
  const aptEnv = withServerPath({ ...env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" });
  // sudo removes most of the environment.
  const as = (...command: string[]) => [...root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", ...command];
  await aptUpdate(as("apt-get", "update"), aptEnv, log);
  const packages = await packagesOf(aptEnv);
  log(`installing with apt-get: ${packages.join(" ")}`);
  const [command, ...args] = as("sh", "-c", INSTALL_SCRIPT, "sh", ...packages);
  await mustRun(command!, args, { env: aptEnv, onLine: (line) => logProgress(line, log) });
}

async function aptUpdate(words: string[], env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  log("installing missing servers: apt-get update");
  const [command, ...args] = words;
  const deadline = Date.now() + APT_LOCK_SECONDS * 1000;
  for (let waited = false; ; waited = true) {
    const { code, output } = await run(command!, args, { env });
    if (code === 0) return;
    // The lock of the package lists has no time-out setting, unlike the lock of apt-get install.
    const locked = /could not get lock/i.test(output) && Date.now() < deadline;
    if (!locked) {
      // A failing source may not matter: the installation decides.
      log(`apt-get update ended with ${code}: ${output.split("\n").slice(-3).join(" / ")}`);
      return;
    }
    if (!waited) log(`another package manager is at work; waiting up to ${APT_LOCK_SECONDS} s for it`);
    await pause(1000);
  }
}

export async function debianPackages(name: ServerName, env: NodeJS.ProcessEnv): Promise<string[]> {
  const fallback = DEBIAN_FALLBACK[name];
  if (fallback === undefined) return DEBIAN_PACKAGES[name];
  // Its exit code does not show whether each package exists.
  const { output } = await run("apt-cache", ["show", "--no-all-versions", ...DEBIAN_PACKAGES[name]], { env });
  const known = output.split("\n").filter((line) => line.startsWith("Package: "));
  return DEBIAN_PACKAGES[name].every((wanted) => known.includes(`Package: ${wanted}`))
    ? DEBIAN_PACKAGES[name]
    : fallback;
}

/**
 * The packages would start servers on the standard ports. A policy-rc.d prevents this during the installation; an
 * existing one of the machine is left alone. The shell removes ours even if this process is killed meanwhile. The file
 * of a killed shell contains its pid, by which it is recognized.
 */
const INSTALL_SCRIPT = `
set -eu
policy=/usr/sbin/policy-rc.d
old=$(sed -n 's/^# ovation, until process \\([0-9]*\\) has ended$/\\1/p' "$policy" 2>/dev/null || true)
if [ -n "$old" ] && ! kill -0 "$old" 2>/dev/null; then rm -f "$policy"; fi
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\n# ovation, until process %s has ended\\nexit 101\\n' "$$" > "$policy"
  chmod 755 "$policy"
fi
apt-get -o DPkg::Lock::Timeout=${APT_LOCK_SECONDS} install -y --no-install-recommends "$@"
`;

/** Passes on those of apt's lines that show progress or its obstacle. */
function logProgress(line: string, log: Log): void {
  if (/^(Get:|Fetched|Setting up|Unpacking|E:|W:|Waiting|dpkg: error)/.test(line)) log(`  ${line}`);
}
