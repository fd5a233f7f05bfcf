import { join } from "node:path";
import type { ProcessEnv } from "../../bench/support/servers.ts";
import { projectRoot } from "../../config/root.ts";
import { startChild } from "../../scripts/children.ts";

const shown = 5;

interface Verified {
  equal: boolean;
  count: number;
  differences: readonly { kind: string; subject: string }[];
}

/** Runs a command of this project to its end. Returns its exit code and what it wrote on standard output and error. */
export async function runCommand(
  script: string,
  args: readonly string[],
  env: ProcessEnv,
): Promise<{ code: number | null; lines: string[] }> {
  const lines: string[] = [];
  const child = startChild({
    ...{ name: script, command: process.execPath, args: [join(projectRoot(), script), ...args] },
    ...{ cwd: projectRoot(), env, output: { to: (line: string) => lines.push(line) } },
  });
  const { code } = await child.exited;
  return { code, lines };
}

/** `npm run verify` over what changed since `since`, or over all rows. Returns what differs, in words; empty: nothing. */
export async function verifyBooks(env: ProcessEnv, since?: Date): Promise<string[]> {
  const args = [...(since === undefined ? [] : ["--since", since.toISOString()]), "--json"];
  const { code, lines } = await runCommand("scripts/verify.ts", args, env);
  const json = lines.findLast((line) => line.startsWith("{"));
  if (json === undefined || (code !== 0 && code !== 2))
    return [`npm run verify ended with ${code}: ${lines.slice(-shown).join("; ")}`];
  const { equal, count, differences } = JSON.parse(json) as Verified;
  if (equal) return [];
  const examples = differences.slice(0, shown).map(({ kind, subject }) => `${kind} ${subject}`);
  return [`npm run verify: the books differ in ${count} places, e.g. ${examples.join("; ")}`];
}
